// What a program's file says about its sockets. The files are written here, byte by byte.
#include "control/protocol/obstacle.hpp"

#include <elf.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "tests/support/scratch_directory.hpp"

namespace xylem {
namespace {

class Obstacle : public testing::Test {
  protected:
    std::string write(const std::string& name, const std::string& text) { return scratch_.write(name, text); }
    Reason of(const std::string& name, const std::string& text) {
        return obstacle_in(write(name, text).c_str());
    }

    ScratchDirectory scratch_;
};

const std::string kElf32 = std::string("\177ELF\1\1\1") + std::string(57, '\0');

template <class T>
void append(std::string& text, const T& part) {
    text.append(reinterpret_cast<const char*>(&part), sizeof part);
}

// This machine's header, and segments of those types; the first note holds `note`.
std::string elf_with(std::initializer_list<Elf64_Word> types, const std::string& note = {}) {
    std::ifstream self("/proc/self/exe", std::ios::binary);
    Elf64_Ehdr header;
    self.read(reinterpret_cast<char*>(&header), sizeof header);
    header.e_phoff = sizeof header;
    header.e_phnum = static_cast<Elf64_Half>(types.size());
    std::string text;
    append(text, header);
    for (const Elf64_Word type : types) {
        Elf64_Phdr segment{};
        segment.p_type = type;
        segment.p_align = 4;
        segment.p_offset = sizeof header + types.size() * sizeof segment;
        segment.p_filesz = note.size();
        append(text, segment);
    }
    return text + note;
}

std::string note_of(const char* name, Elf64_Word type, const std::string& content) {
    const Elf64_Nhdr header{static_cast<Elf64_Word>(std::strlen(name) + 1),
                            static_cast<Elf64_Word>(content.size()), type};
    std::string note;
    append(note, header);
    note += name;
    note.resize((note.size() + 4) & ~std::size_t{3});
    note += content;
    note.resize((note.size() + 3) & ~std::size_t{3});
    return note;
}

const std::string kGoNote = note_of("Go", 4, "an id of any length");

TEST_F(Obstacle, an_ordinary_program_has_none) {
    EXPECT_EQ(obstacle_in("/proc/self/exe"), Reason::none);
    EXPECT_EQ(of("ordinary", elf_with({PT_PHDR, PT_INTERP, PT_LOAD})), Reason::none);
}

TEST_F(Obstacle, a_program_without_a_loader_is_static) {
    EXPECT_EQ(of("none", elf_with({})), Reason::static_program);
    EXPECT_EQ(of("static", elf_with({PT_LOAD, PT_LOAD})), Reason::static_program);
}

TEST_F(Obstacle, a_go_program_is_known_by_its_linkers_note) {
    EXPECT_EQ(of("go", elf_with({PT_PHDR, PT_NOTE, PT_LOAD}, kGoNote)), Reason::go_program);
    EXPECT_EQ(of("cgo", elf_with({PT_INTERP, PT_NOTE}, kGoNote)), Reason::go_program);
    const std::string gnu = note_of("GNU", 3, "12345");
    EXPECT_EQ(of("behind", elf_with({PT_INTERP, PT_NOTE}, gnu + kGoNote)), Reason::go_program);
    EXPECT_EQ(of("c", elf_with({PT_INTERP, PT_NOTE}, gnu)), Reason::none);
}

TEST_F(Obstacle, notes_that_are_cut_short_or_lie_are_read_to_their_end) {
    for (std::size_t length = 0; length < kGoNote.size(); ++length) {
        const Reason found = of("cut", elf_with({PT_INTERP, PT_NOTE}, kGoNote.substr(0, length)));
        EXPECT_EQ(found, length < 16 ? Reason::none : Reason::go_program) << length;
    }
    std::string huge = note_of("GNU", 3, "12345");
    std::memset(huge.data(), 0xFF, 8);
    EXPECT_EQ(of("huge", elf_with({PT_INTERP, PT_NOTE}, huge + kGoNote)), Reason::none);
}

TEST_F(Obstacle, an_elf_file_of_another_word_size_is_told_apart) {
    EXPECT_EQ(of("elf32", kElf32), Reason::other_machine);
}

TEST_F(Obstacle, a_script_counts_as_its_interpreter) {
    const std::string interpreter = write("interpreter", kElf32);
    const std::string script = write("script", "#! " + interpreter + " -x\n");
    EXPECT_EQ(of("outer", "#!" + script + "\n"), Reason::other_machine);
}

TEST_F(Obstacle, scripts_that_run_each_other_for_ever_end) {
    const std::string path = scratch_.path("loop");
    EXPECT_EQ(of("loop", "#!" + path + "\n"), Reason::none);
}

TEST_F(Obstacle, a_program_that_takes_other_rights_is_privileged_even_if_it_cannot_be_read) {
    const std::string path = write("setuid", elf_with({PT_INTERP}));
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file to another user";
    ASSERT_EQ(::chown(path.c_str(), 65534, 65534), 0);
    ASSERT_EQ(::chmod(path.c_str(), 04111), 0);
    EXPECT_EQ(obstacle_in(path.c_str()), Reason::privileged_program);
    ASSERT_EQ(::chmod(path.c_str(), 02111), 0);
    EXPECT_EQ(obstacle_in(path.c_str()), Reason::privileged_program);
    ASSERT_EQ(::chmod(path.c_str(), 0755), 0);
    EXPECT_EQ(obstacle_in(path.c_str()), Reason::none);
}

TEST_F(Obstacle, of_a_script_the_kernel_ignores_the_bits) {
    const std::string path = write("script", "#!/proc/self/exe\n");
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file to another user";
    ASSERT_EQ(::chown(path.c_str(), 65534, 65534), 0);
    ASSERT_EQ(::chmod(path.c_str(), 06755), 0);
    EXPECT_EQ(obstacle_in(path.c_str()), Reason::none);
}

TEST_F(Obstacle, files_cut_short_are_read_to_their_end_and_no_further) {
    for (const char* text : {"", "#", "#!", "#!\n", "#!   ", "\177ELF", "\177ELF\2\1\1"}) {
        EXPECT_EQ(of("short", text), Reason::none) << text;
    }
    EXPECT_EQ(of("long", "#!" + std::string(5000, 'x')), Reason::none);
    EXPECT_EQ(obstacle_in(scratch_.path("nothing").c_str()), Reason::none);
}

}  // namespace
}  // namespace xylem
