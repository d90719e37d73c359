// The signals that ask this process to stop, held back and read where it suits.
#pragma once

#include <signal.h>

#include "vsock-transport/base/unique_fd.hpp"

namespace xylem::cli {

// SIGINT, SIGTERM and SIGHUP, blocked as long as it lives.
class StopSignals {
  public:
    StopSignals();
    ~StopSignals() { restore(); }
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;

    // For a child before it becomes another program.
    void restore() const { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
    // Readable when one has come.
    int fd() const { return fd_.get(); }
    // The next one that has come; 0 if none has.
    int take() const;

  private:
    sigset_t before_{};
    UniqueFd fd_;
};

}  // namespace xylem::cli
