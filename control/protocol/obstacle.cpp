// Obstacle: reads the first page of a program, an ELF header with its program headers or a #! line, and the
// notes that the headers point to. A file that is neither is taken to work: execvp runs it through /bin/sh.
//   static       no PT_INTERP: no dynamic loader runs, so nothing is preloaded
//   Go           its linker's note: with cgo the loader runs, but Go's runtime numbers its own system calls
//   privileged   setuid, setgid or file capabilities: the loader ignores paths in LD_PRELOAD
//   machine      another word size or processor
#include "control/protocol/obstacle.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "vsock-transport/base/unique_fd.hpp"

namespace xylem {
namespace {

constexpr std::size_t kHeadBytes = 4096;
constexpr std::size_t kNoteBytes = 1024;
constexpr int kMaxScripts = 4;
constexpr Elf64_Word kGoBuildId = 4;  // cmd/link/internal/ld/elf.go: ELF_NOTE_GOBUILDID_TAG
#if defined(__x86_64__)
constexpr Elf64_Half kOwnMachine = EM_X86_64;
#else
constexpr Elf64_Half kOwnMachine = EM_AARCH64;
#endif

struct Head {
    char bytes[kHeadBytes] = {};
    std::size_t size = 0;

    template <class T>
    bool copy(std::size_t at, T& to) const {
        if (at > size || size - at < sizeof to) return false;
        std::memcpy(static_cast<void*>(&to), bytes + at, sizeof to);
        return true;
    }
    bool begins_with(const char* text, std::size_t length) const {
        return size >= length && std::memcmp(bytes, text, length) == 0;
    }
};

UniqueFd open_program(const char* path) {
    constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    return UniqueFd(static_cast<int>(system_call(SYS_openat, AT_FDCWD, word(path), kFlags)));
}

std::size_t read_at(int fd, char* to, std::size_t room, std::size_t offset) {
    const long got =
        system_call(SYS_pread64, fd, word(to), static_cast<long>(room), static_cast<long>(offset));
    return got > 0 ? static_cast<std::size_t>(got) : 0;
}

bool is_privileged(const char* path) {
    struct stat status {};
    if (system_call(SYS_newfstatat, AT_FDCWD, word(path), word(&status), 0) != 0) return false;
    if ((status.st_mode & S_ISUID) != 0 && status.st_uid != system_call(SYS_getuid)) return true;
    if ((status.st_mode & S_ISGID) != 0 && status.st_gid != system_call(SYS_getgid)) return true;
    return system_call(SYS_geteuid) != 0 &&
           system_call(SYS_getxattr, word(path), word("security.capability"), 0, 0) > 0;
}

bool has_go_note(int fd, const Elf64_Phdr& segment) {
    char notes[kNoteBytes];
    const std::size_t wanted = segment.p_filesz < sizeof notes ? segment.p_filesz : sizeof notes;
    const std::size_t size = read_at(fd, notes, wanted, segment.p_offset);
    const std::size_t unit = segment.p_align == 8 ? 8 : 4;
    std::size_t at = 0;
    Elf64_Nhdr note{};
    while (at < size && size - at >= sizeof note + 4) {
        std::memcpy(&note, notes + at, sizeof note);
        if (note.n_type == kGoBuildId && std::memcmp(notes + at + sizeof note, "Go\0", 4) == 0) return true;
        const std::size_t length = sizeof note + ((note.n_namesz + std::size_t{3}) & ~std::size_t{3}) +
                                   ((note.n_descsz + std::size_t{3}) & ~std::size_t{3});
        at += (length + unit - 1) & ~(unit - 1);
    }
    return false;
}

Reason obstacle_in_elf(int fd, const Head& head) {
    Elf64_Ehdr header{};
    if (!head.copy(0, header)) return Reason::none;
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != kOwnMachine) {
        return Reason::other_machine;
    }
    bool has_loader = false;
    for (unsigned i = 0; i < header.e_phnum; ++i) {
        Elf64_Phdr segment{};
        if (header.e_phoff > head.size || !head.copy(header.e_phoff + i * sizeof segment, segment)) {
            return Reason::none;
        }
        if (segment.p_type == PT_INTERP) has_loader = true;
        if (segment.p_type == PT_NOTE && has_go_note(fd, segment)) return Reason::go_program;
    }
    return has_loader ? Reason::none : Reason::static_program;
}

// The interpreter's path in the place of the line; false: there is none.
bool take_interpreter(Head& head) {
    std::size_t begin = 2;
    while (begin < head.size && (head.bytes[begin] == ' ' || head.bytes[begin] == '\t')) ++begin;
    std::size_t end = begin;
    while (end < head.size && std::strchr(" \t\n", head.bytes[end]) == nullptr) ++end;
    if (end == begin || end >= sizeof head.bytes) return false;
    std::memmove(head.bytes, head.bytes + begin, end - begin);
    head.bytes[end - begin] = '\0';
    return true;
}

}  // namespace

Reason obstacle_in(const char* path) {
    Head head;
    for (int i = 0; i < kMaxScripts; ++i) {
        const char* program = i == 0 ? path : head.bytes;
        const bool privileged = is_privileged(program);
        const UniqueFd fd = open_program(program);
        head.size = fd ? read_at(fd.get(), head.bytes, sizeof head.bytes, 0) : 0;
        if (!head.begins_with("#!", 2)) {  // of scripts the kernel ignores the bits
            if (privileged) return Reason::privileged_program;
            return head.begins_with(ELFMAG, SELFMAG) ? obstacle_in_elf(fd.get(), head) : Reason::none;
        }
        if (!take_interpreter(head)) return Reason::none;
    }
    return Reason::none;
}

}  // namespace xylem
