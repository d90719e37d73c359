// Interruption: which handler ran.
// The kernel restarts a call, or does not, by the SA_RESTART of the handler that ended its sleep. It cannot
// decide that for us: all sleeps here have a time limit (a lost kick must not cost a hang), and every system
// call that waits for descriptors with a limit says EINTR whatever the handler asked for (ppoll, epoll_wait,
// a receive with SO_RCVTIMEO, futex), and says it after the handler returned. So handlers without SA_RESTART
// are seen at their entry: sigaction and its kin put watch_handler() in their place, which counts and goes on
// to the program's handler. Handlers with SA_RESTART, and SIG_DFL and SIG_IGN, are left as they are. Signals
// that a thread raises by a fault of its own never end a sleep and are left alone too. The kernel's answer to
// "which handler is installed" is translated back. A handler that was installed past the library (a raw
// system call, before the library was there) is not seen; where such a one exists without SA_RESTART, a sleep
// that a signal ended is taken to be its doing.
#include "guest-lib/interruption.hpp"

#include "guest-lib/real_libc.hpp"
#include "vsock-transport/base/atomic.hpp"

namespace xylem {
namespace {

using Handler = void (*)(int, siginfo_t*, void*);

constinit thread_local AtomicU32 interruptions;
constinit Atomic<Handler> handlers[NSIG];

bool is_number(int signal) { return signal > 0 && signal < NSIG; }

bool is_fault(int signal) {
    return signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL ||
           signal == SIGTRAP || signal == SIGSYS;
}

// Ends in a jump: the program's handler finds the stack as the kernel made it.
void watch_handler(int signal, siginfo_t* about, void* context) {
    interruptions.store_relaxed(interruptions.load_relaxed() + 1);
    handlers[signal].load_relaxed()(signal, about, context);
}

// The same address as the other member of struct sigaction.
sighandler_t plain(Handler handler) {
    struct sigaction action {};
    action.sa_sigaction = handler;
    return action.sa_handler;
}

bool has_handler(const struct sigaction& action) {
    return (action.sa_flags & SA_SIGINFO) != 0 ||
           (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN);
}

bool is_watched(const struct sigaction& action) { return action.sa_sigaction == watch_handler; }

bool has_unseen_handler() {
    for (int signal = 1; signal < NSIG; ++signal) {
        struct sigaction installed {};
        if (is_fault(signal) || real().sigaction(signal, nullptr, &installed) != 0) continue;
        if (!has_handler(installed) || is_watched(installed)) continue;
        if ((installed.sa_flags & SA_RESTART) == 0) return true;
    }
    return false;
}

}  // namespace

Interruption::Interruption() : before_(interruptions.load_relaxed()) {}

bool Interruption::is_due() const { return interruptions.load_relaxed() != before_; }

bool Interruption::is_due_after_sleep() const { return is_due() || has_unseen_handler(); }

int install_handler(int signal, const struct sigaction* wanted, struct sigaction* before) {
    if (!is_number(signal)) return real().sigaction(signal, wanted, before);
    const Handler last = handlers[signal].load_relaxed();
    struct sigaction watched {};
    if (wanted != nullptr && !is_fault(signal) && has_handler(*wanted) &&
        (wanted->sa_flags & SA_RESTART) == 0) {
        watched = *wanted;
        handlers[signal].store_relaxed(wanted->sa_sigaction);
        watched.sa_sigaction = watch_handler;
        wanted = &watched;
    }
    const int result = real().sigaction(signal, wanted, before);
    if (result == 0 && before != nullptr && is_watched(*before)) before->sa_sigaction = last;
    return result;
}

sighandler_t settle_handler(int signal, sighandler_t before) {
    struct sigaction installed {};
    if (!is_number(signal) || real().sigaction(signal, nullptr, &installed) != 0) return before;
    const Handler last = handlers[signal].load_relaxed();
    if (!is_watched(installed)) {
        if (has_handler(installed) && (installed.sa_flags & SA_RESTART) == 0) {
            install_handler(signal, &installed, nullptr);
        }
    } else if ((installed.sa_flags & SA_RESTART) != 0) {
        installed.sa_sigaction = last;
        real().sigaction(signal, &installed, nullptr);
    }
    return before == plain(watch_handler) ? plain(last) : before;
}

}  // namespace xylem
