// Where a command is found, and what is said where it is not.
#include "control/cli/program_file.hpp"

#include <gtest/gtest.h>

#include "tests/support/scratch_directory.hpp"

namespace xylem::cli {
namespace {

TEST(ProgramFile, exit_codes_are_those_of_env) {
    const ScratchDirectory scratch;
    EXPECT_EQ(find_program(scratch.path("none")).error().exit_code, kNotFound);
    EXPECT_EQ(find_program("").error().exit_code, kNotFound);
    EXPECT_EQ(find_program(scratch.path()).error().exit_code, kCannotExecute);
    const std::string program = scratch.write("program", "");
    EXPECT_EQ(find_program(program).error().exit_code, kCannotExecute);
    std::filesystem::permissions(program, std::filesystem::perms::owner_exec,
                                 std::filesystem::perm_options::add);
    EXPECT_EQ(*find_program(program), program);
}

}  // namespace
}  // namespace xylem::cli
