// A program in a process of its own, that a test can kill.
#pragma once

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "vsock-transport/base/unique_fd.hpp"

namespace xylem::agent_test {

class ChildProgram {
  public:
    // Runs `what` in a child; returns when `what` is done. The child then waits to be killed.
    explicit ChildProgram(const std::function<void()>& what) {
        int ends[2];
        if (::pipe(ends) != 0) return;
        pid_ = ::fork();
        if (pid_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            what();
            (void)!::write(ends[1], "x", 1);
            for (;;) ::pause();
        }
        ::close(ends[1]);
        char byte;
        is_ready_ = ::read(ends[0], &byte, 1) == 1;
        ::close(ends[0]);
    }
    ~ChildProgram() { kill(); }
    ChildProgram(const ChildProgram&) = delete;
    ChildProgram& operator=(const ChildProgram&) = delete;

    bool is_ready() const { return is_ready_; }
    pid_t pid() const { return pid_; }
    void kill() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }

  private:
    pid_t pid_ = -1;
    bool is_ready_ = false;
};

}  // namespace xylem::agent_test
