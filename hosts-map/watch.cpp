// FileWatch: an inotify watch on the file's directory, not on the file, because editors and configuration
// tools replace files by rename, and a watch on the file would stay with the old inode.
//
// States: at the file's own directory, or, where that does not exist, at the deepest directory above it
// that does. rearm() finds which. It runs again when the watched directory goes away or is renamed, and
// when the name that it waits for appears. Directories can appear between two system calls, so rearm()
// repeats until it finds the same directory twice: from then on the watch reports whatever comes.
//
// A file counts as changed when its writer closes it, not at each write: a half-written map is not one.
// Renaming a directory above the watched one is not noticed (inotify does not tell).
#include "hosts-map/watch.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <utility>

namespace xylem {

namespace {

constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE |
                                  IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr std::uint32_t kDirectoryGone = IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED;

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string parent_of(const std::string& path) {
    std::size_t end = path.find_last_not_of('/', path.rfind('/'));
    if (path.find('/') == path.npos) return ".";
    return end == path.npos ? "/" : path.substr(0, end + 1);
}

bool is_symbolic_link(const std::string& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
}

// A new name with something behind it already was linked in whole; an empty one is about to be written,
// and its writer's close will be reported.
bool has_content(const std::string& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0 && status.st_size > 0;
}

}  // namespace

FileWatch::FileWatch(std::string path, UniqueFd inotify)
    : path_(std::move(path)), inotify_(std::move(inotify)) {}

Result<FileWatch> FileWatch::open(std::string path) {
    if (name_of(path).empty()) return fail(ErrorKind::system, EINVAL);
    UniqueFd inotify(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (!inotify) return fail_errno();
    FileWatch watch(std::move(path), std::move(inotify));
    if (auto armed = watch.rearm(); !armed) return tl::unexpected(armed.error());
    return watch;
}

bool FileWatch::drain() {
    alignas(inotify_event) char buffer[4096];
    bool changed = false;
    bool moved = false;
    for (;;) {
        ssize_t size_bytes = ::read(inotify_.get(), buffer, sizeof buffer);
        if (size_bytes < 0 && errno == EINTR) continue;
        if (size_bytes <= 0) break;
        for (const char* at = buffer; at < buffer + size_bytes;) {
            const auto& event = *reinterpret_cast<const inotify_event*>(at);
            Meaning meaning = meaning_of(event);
            changed |= meaning != Meaning::nothing;
            moved |= meaning == Meaning::directory_moved;
            at += sizeof(inotify_event) + event.len;
        }
    }
    if (moved) (void)rearm();  // can fail only for lack of kernel memory; the map in force stays
    return changed;
}

Result<void> FileWatch::rearm() {
    std::string settled;
    for (;;) {
        auto directory = watch_deepest_directory();
        if (!directory) return tl::unexpected(directory.error());
        if (*directory == settled) return {};
        settled = *directory;
    }
}

// Returns the directory that is watched now.
Result<std::string> FileWatch::watch_deepest_directory() {
    awaited_ = name_of(path_);
    std::string directory = parent_of(path_);
    at_own_directory_ = true;
    int found = -1;
    while ((found = ::inotify_add_watch(inotify_.get(), directory.c_str(), kEvents)) < 0) {
        bool may_exist_later = errno == ENOENT || errno == ENOTDIR || errno == EACCES;
        if (!may_exist_later || directory == "/" || directory == ".") return fail_errno();
        awaited_ = name_of(directory);
        directory = parent_of(directory);
        at_own_directory_ = false;
    }
    int previous = std::exchange(watch_, found);
    if (previous >= 0 && previous != found) ::inotify_rm_watch(inotify_.get(), previous);
    return directory;
}

FileWatch::Meaning FileWatch::meaning_of(const inotify_event& event) const {
    if ((event.mask & IN_Q_OVERFLOW) != 0) return Meaning::directory_moved;
    if (event.wd != watch_) return Meaning::nothing;  // left over from a watch that was given up
    // Without a name it is about the watched directory itself; a change of its mode can bar the way too.
    if ((event.mask & kDirectoryGone) != 0 || event.len == 0) return Meaning::directory_moved;
    return meaning_of_entry(event);
}

FileWatch::Meaning FileWatch::meaning_of_entry(const inotify_event& event) const {
    bool is_awaited = awaited_ == event.name;
    if (!at_own_directory_) return is_awaited ? Meaning::directory_moved : Meaning::nothing;
    if (!is_awaited) return is_symbolic_link(path_) ? Meaning::file_changed : Meaning::nothing;
    bool is_new_and_empty = (event.mask & IN_CREATE) != 0 && !has_content(path_);
    return is_new_and_empty ? Meaning::nothing : Meaning::file_changed;
}

}  // namespace xylem
