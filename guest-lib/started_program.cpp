// Started programs: the file is looked at only while a run is watched; otherwise exec and spawn cost nothing
// more. What is reported is about to start, not certain to: exec may still fail.
#include "guest-lib/started_program.hpp"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "control/protocol/obstacle.hpp"
#include "guest-lib/run.hpp"
#include "vsock-transport/base/system_call.hpp"

namespace xylem {
namespace {

constexpr const char* kUsualPath = "/bin:/usr/bin";  // of execvp(3) where PATH is not set

bool can_execute(const char* path) { return system_call(SYS_faccessat, AT_FDCWD, word(path), X_OK) == 0; }

// Writes FOLDER/NAME; false where it does not fit.
bool join(char (&path)[PATH_MAX], const char* folder, std::size_t folder_length, const char* name) {
    const std::size_t name_length = std::strlen(name);
    if (folder_length + name_length + 2 > sizeof path) return false;
    std::memcpy(path, folder, folder_length);
    if (folder_length > 0) path[folder_length++] = '/';
    std::memcpy(path + folder_length, name, name_length + 1);
    return true;
}

bool find_in_path(const char* name, char (&path)[PATH_MAX]) {
    const char* folders = ::getenv("PATH");
    if (folders == nullptr) folders = kUsualPath;
    for (;;) {
        const std::size_t length = std::strcspn(folders, ":");
        if (join(path, folders, length, name) && can_execute(path)) return true;
        if (folders[length] == '\0') return false;
        folders += length + 1;
    }
}

bool hands_library_on(char* const* variables) {
    static constexpr char kName[] = "LD_PRELOAD=";
    for (; variables != nullptr && *variables != nullptr; ++variables) {
        if (std::strncmp(*variables, kName, sizeof kName - 1) != 0) continue;
        if (std::strstr(*variables, "libxylem.so") != nullptr) return true;
    }
    return false;
}

void look_at(const char* path, char* const* variables) {
    if (!can_execute(path)) return;
    Reason why = obstacle_in(path);
    if (why == Reason::none && !hands_library_on(variables)) why = Reason::not_preloaded;
    if (why != Reason::none) report_bypass(why, path);
}

}  // namespace

void note_program(const char* name, bool is_searched, char* const* variables) {
    if (name == nullptr || !is_watched()) return;
    const int saved_errno = errno;
    char path[PATH_MAX];
    if (!is_searched || std::strchr(name, '/') != nullptr) {
        look_at(name, variables);
    } else if (find_in_path(name, path)) {
        look_at(path, variables);
    }
    errno = saved_errno;
}

}  // namespace xylem
