// Whether the guest library can get into a program, by its file.
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

TEST_F(ProgramFile, an_ordinary_program_can_be_preloaded_into) {
    EXPECT_EQ(preload_into("/proc/self/exe"), Preload::works);
}

TEST_F(ProgramFile, an_elf_file_without_an_interpreter_is_static) {
    std::ifstream self("/proc/self/exe", std::ios::binary);
    std::string head(64, '\0');
    self.read(head.data(), 64);
    head[56] = 0;  // e_phnum: no program headers
    head[57] = 0;
    EXPECT_EQ(preload_into(write("static", head)), Preload::no_static_program);
}

TEST_F(ProgramFile, an_elf_file_of_another_word_size_is_told_apart) {
    EXPECT_EQ(preload_into(write("elf32", std::string("\177ELF\1\1\1") + std::string(57, '\0'))),
              Preload::no_other_machine);
}

TEST_F(ProgramFile, a_script_counts_as_its_interpreter) {
    std::string elf = std::string("\177ELF\1\1\1") + std::string(57, '\0');
    const std::string interpreter = write("interpreter", elf);
    const std::string script = write("script", "#! " + interpreter + " -x\n");
    EXPECT_EQ(preload_into(write("outer", "#!" + script + "\n")), Preload::no_other_machine);
}

TEST_F(ProgramFile, scripts_that_run_each_other_for_ever_end) {
    const std::string path = (folder_ / "loop").string();
    write("loop", "#!" + path + "\n");
    EXPECT_EQ(preload_into(path), Preload::works);
}

TEST_F(ProgramFile, files_cut_short_are_read_to_their_end_and_no_further) {
    for (const char* text : {"", "#", "#!", "#!\n", "#!   ", "\177ELF", "\177ELF\2\1\1"}) {
        EXPECT_EQ(preload_into(write("short", text)), Preload::works) << text;
    }
}

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
