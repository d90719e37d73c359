// Process: pidfd_open(2) and poll. A pid of 0 is what the kernel shows for a process of another pid
// namespace.
#include "control/agent/process.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace xylem::agent {

Process::Process(pid_t pid) : pid_(pid) {
    if (pid > 0) pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

bool Process::is_alive() const {
    if (!pidfd_) return false;
    pollfd item{pidfd_.get(), POLLIN, 0};
    return ::poll(&item, 1, 0) == 0;
}

}  // namespace xylem::agent
