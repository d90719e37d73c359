// StopSignals: a signalfd(2). What was ignored before (nohup) stays ignored.
#include "control/cli/stop_signals.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

namespace xylem::cli {

StopSignals::StopSignals() {
    ::signal(SIGCHLD, SIG_DFL);  // ignored, it would take the status of children with it
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        struct sigaction action {};
        const bool is_ignored = ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
        if (!is_ignored) ::sigaddset(&set, signal);
    }
    ::sigprocmask(SIG_BLOCK, &set, &before_);
    fd_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int StopSignals::take() const {
    signalfd_siginfo info{};
    return ::read(fd_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
}

}  // namespace xylem::cli
