// Where a command is found, and what is said where it is not.
#include "control/cli/program_file.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace xylem::cli {
namespace {

namespace fs = std::filesystem;

class ProgramFile : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "xylem-program-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    void TearDown() override { fs::remove_all(folder_); }

    std::string write(const std::string& name, const std::string& text, bool is_executable = true) {
        std::string path = folder_ / name;
        std::ofstream(path, std::ios::binary) << text;
        if (is_executable) fs::permissions(path, fs::perms::owner_exec, fs::perm_options::add);
        return path;
    }

    fs::path folder_;
};

TEST_F(ProgramFile, exit_codes_are_those_of_env) {
    EXPECT_EQ(find_program((folder_ / "none").string()).error().exit_code, kNotFound);
    EXPECT_EQ(find_program("").error().exit_code, kNotFound);
    EXPECT_EQ(find_program(folder_.string()).error().exit_code, kCannotExecute);
    EXPECT_EQ(find_program(write("plain", "", false)).error().exit_code, kCannotExecute);
    const std::string program = write("program", "");
    EXPECT_EQ(*find_program(program), program);
}

}  // namespace
}  // namespace xylem::cli
