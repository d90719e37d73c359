// Tells when a file may have changed: written, replaced by rename, deleted, created. The file and the
// directories on the way to it need not exist yet. Not thread safe: belongs to one event loop.
#pragma once

#include <sys/inotify.h>

#include <string>

#include "vsock-transport/base/result.hpp"
#include "vsock-transport/base/unique_fd.hpp"

namespace xylem {

class FileWatch {
  public:
    // The path is absolute, or relative to a working directory that does not change.
    // Errors: system with the errno of inotify (EMFILE, ENOSPC: the user's inotify limits; EINVAL: no
    // file name in the path).
    static Result<FileWatch> open(std::string path);

    // Readable (POLLIN) when drain() has something to say.
    int fd() const { return inotify_.get(); }
    // Takes in all that happened, and says whether the file may have changed. Never blocks. May say yes
    // without a change; does not say no after one. What a symbolic link leads to is not watched, but any
    // change in the link's own directory counts.
    bool drain();

  private:
    enum class Meaning { nothing, file_changed, directory_moved };

    FileWatch(std::string path, UniqueFd inotify);
    Result<void> rearm();
    Result<std::string> watch_deepest_directory();
    Meaning meaning_of(const inotify_event& event) const;
    Meaning meaning_of_entry(const inotify_event& event) const;

    std::string path_;
    UniqueFd inotify_;
    int watch_ = -1;       // of one directory: the file's own, or the deepest that exists above it
    std::string awaited_;  // the name in it that leads to the file
    bool at_own_directory_ = false;
};

}  // namespace xylem
