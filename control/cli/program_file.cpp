// Reads the first page of a program: an ELF header with its program headers, or a #! line. A file that is
// neither is taken to work: execvp runs it through /bin/sh.
#include "control/cli/program_file.hpp"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "control/cli/terminal.hpp"
#include "vsock-transport/base/unique_fd.hpp"

namespace xylem::cli {
namespace {

constexpr std::size_t kHeadBytes = 4096;
constexpr int kMaxScripts = 4;
constexpr const char* kUsualPath = "/bin:/usr/bin";  // of execvp(3) where PATH is not set

bool is_regular_file(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

Outcome<std::string> check_executable(const std::string& path, const std::string& name) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        const int code = errno == ENOENT || errno == ENOTDIR ? kNotFound : kCannotExecute;
        return failed(code, fmt::format("{}: {}", printable(name), ::strerror(errno)));
    }
    if (!S_ISREG(status.st_mode) || ::access(path.c_str(), X_OK) != 0) {
        const char* why = S_ISDIR(status.st_mode) ? "is a directory" : "is not executable";
        return failed(kCannotExecute, fmt::format("{} {}", printable(name), why));
    }
    return path;
}

std::string read_head(const std::string& path) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    std::string head(kHeadBytes, '\0');
    const ssize_t got = fd ? ::read(fd.get(), head.data(), head.size()) : 0;
    head.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return head;
}

bool is_privileged(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return false;
    if ((status.st_mode & S_ISUID) != 0 && status.st_uid != ::getuid()) return true;
    if ((status.st_mode & S_ISGID) != 0 && status.st_gid != ::getgid()) return true;
    return ::geteuid() != 0 && ::getxattr(path.c_str(), "security.capability", nullptr, 0) > 0;
}

Preload preload_into_elf(std::string_view head) {
    Elf64_Ehdr own{};
    const std::string self = read_head("/proc/self/exe");
    ::memcpy(&own, self.data(), std::min(self.size(), sizeof own));
    Elf64_Ehdr header{};
    if (head.size() < sizeof header) return Preload::works;
    ::memcpy(&header, head.data(), sizeof header);
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != own.e_machine) {
        return Preload::no_other_machine;
    }
    for (unsigned i = 0; i < header.e_phnum; ++i) {
        Elf64_Phdr program{};
        const std::size_t at = header.e_phoff + i * sizeof program;
        if (header.e_phoff > head.size() || at + sizeof program > head.size()) return Preload::works;
        ::memcpy(&program, head.data() + at, sizeof program);
        if (program.p_type == PT_INTERP) return Preload::works;
    }
    return Preload::no_static_program;
}

std::string interpreter_of(std::string_view head) {
    head = head.substr(2, head.find('\n') - 2);
    const std::size_t start = head.find_first_not_of(" \t");
    if (start == head.npos) return {};
    head.remove_prefix(start);
    return std::string(head.substr(0, head.find_first_of(" \t\n")));
}

}  // namespace

Outcome<std::string> find_program(const std::string& name) {
    if (name.empty()) return failed(kNotFound, "the command is an empty word");
    if (name.find('/') != name.npos) return check_executable(name, name);
    const char* set = ::getenv("PATH");
    std::string_view folders = set != nullptr ? set : kUsualPath;
    std::string not_executable;
    for (;;) {
        const std::size_t end = folders.find(':');
        const std::string folder(folders.substr(0, end));
        const std::string path = (folder.empty() ? "." : folder) + "/" + name;
        if (is_regular_file(path)) {
            if (::access(path.c_str(), X_OK) == 0) return path;
            not_executable = path;
        }
        if (end == folders.npos) break;
        folders.remove_prefix(end + 1);
    }
    if (!not_executable.empty()) return check_executable(not_executable, not_executable);
    return failed(kNotFound, fmt::format("{}: no such command in PATH", printable(name)));
}

Preload preload_into(const std::string& path) {
    std::string current = path;
    for (int i = 0; i < kMaxScripts; ++i) {
        const std::string head = read_head(current);
        if (!head.starts_with("#!")) {
            if (is_privileged(current)) return Preload::no_privileged;
            return head.starts_with(ELFMAG) ? preload_into_elf(head) : Preload::works;
        }
        current = interpreter_of(head);
    }
    return Preload::works;
}

const char* preload_text(Preload preload) {
    switch (preload) {
        case Preload::works:
            break;
        case Preload::no_static_program:
            return "is statically linked";
        case Preload::no_privileged:
            return "runs with more rights than its caller (setuid, setgid or capabilities)";
        case Preload::no_other_machine:
            return "is built for another kind of processor";
    }
    return "";
}

}  // namespace xylem::cli
