// Finds a command as execvp(3) does, and tells apart what env(1) tells apart.
#include "control/cli/program_file.hpp"

#include <errno.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string_view>

#include "control/cli/terminal.hpp"

namespace xylem::cli {
namespace {

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

}  // namespace xylem::cli
