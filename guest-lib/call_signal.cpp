// Calls that install signal handlers: the library must see which handler ended a sleep (interruption.cpp).
// What it puts in a handler's place, the program never gets to see.
#include <signal.h>

#include "guest-lib/enabled.hpp"
#include "guest-lib/interruption.hpp"
#include "guest-lib/real_libc.hpp"

using namespace xylem;

XYLEM_EXPORT(int, sigaction, (int signal, const struct sigaction* wanted, struct sigaction* before)) {
    return is_enabled() ? install_handler(signal, wanted, before) : real().sigaction(signal, wanted, before);
}

#define XYLEM_INSTALLER(name)                                                               \
    XYLEM_EXPORT(sighandler_t, name, (int signal, sighandler_t handler)) {                  \
        const sighandler_t before = real().name(signal, handler);                           \
        return is_enabled() && before != SIG_ERR ? settle_handler(signal, before) : before; \
    }

XYLEM_INSTALLER(signal)
XYLEM_INSTALLER(bsd_signal)
XYLEM_INSTALLER(ssignal)
XYLEM_INSTALLER(sysv_signal)
XYLEM_INSTALLER(__sysv_signal)
XYLEM_INSTALLER(sigset)

XYLEM_EXPORT(int, siginterrupt, (int signal, int interrupts)) {
    const int result = real().siginterrupt(signal, interrupts);
    if (result == 0 && is_enabled()) settle_handler(signal, SIG_DFL);
    return result;
}
