// A process of this machine, known by a pidfd, so that a pid that is used again is never mistaken for it.
#pragma once

#include <sys/types.h>

#include "vsock-transport/base/unique_fd.hpp"

namespace xylem::agent {

class Process {
  public:
    Process() = default;  // not visible from here: counts as dead
    explicit Process(pid_t pid);

    bool is_alive() const;
    // Readable once the process is dead; -1 if it is not visible.
    int fd() const { return pidfd_.get(); }
    pid_t pid() const { return pid_; }

  private:
    pid_t pid_ = 0;
    UniqueFd pidfd_;
};

}  // namespace xylem::agent
