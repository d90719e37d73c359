// Asks the kernel for every signal's disposition: some 60 short system calls, after a signal only.
#include "guest-lib/interruption.hpp"

#include <signal.h>

namespace xylem {

bool restarts_after_signal() {
    for (int number = 1; number < SIGRTMAX; ++number) {
        struct sigaction installed {};
        if (::sigaction(number, nullptr, &installed) != 0) continue;
        const bool has_handler = (installed.sa_flags & SA_SIGINFO) != 0 ||
                                 (installed.sa_handler != SIG_DFL && installed.sa_handler != SIG_IGN);
        if (has_handler && (installed.sa_flags & SA_RESTART) == 0) return false;
    }
    return true;
}

}  // namespace xylem
