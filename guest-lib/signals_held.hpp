// A thread that holds a lock of this library takes no signal: its handler may close or fork, which needs the
// same lock, or jump out of the call for good. What waits comes when the lock is let go. Not held back: what
// a fault of the thread's own sends, and the two signals by which libc speaks to its threads.
#pragma once

#include <signal.h>

#include <cstdint>
#include <initializer_list>

#include "vsock-transport/base/sandbox.hpp"
#include "vsock-transport/base/system_call.hpp"

namespace xylem {

constexpr std::uint64_t signal_bits(std::initializer_list<int> signals) {
    std::uint64_t bits = 0;
    for (const int signal : signals) bits |= 1ULL << (signal - 1);
    return bits;
}

// Counts: only the outermost of several asks the kernel. In a sandbox, whose filter may not expect it, none
// does.
class SignalsHeld {
  public:
    SignalsHeld() { hold(); }
    ~SignalsHeld() { let_go(); }
    SignalsHeld(const SignalsHeld&) = delete;
    SignalsHeld& operator=(const SignalsHeld&) = delete;

    // For what begins and ends in different functions of one thread.
    static void hold() {
        if (depth == 0 && !is_sandboxed()) {
            constexpr int kLibc1 = 32, kLibc2 = 33;
            const std::uint64_t held =
                ~signal_bits({SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, kLibc1, kLibc2});
            is_changed =
                system_call(SYS_rt_sigprocmask, SIG_BLOCK, word(&held), word(&before), kMaskBytes) == 0;
        }
        ++depth;
    }
    static void let_go() {
        if (--depth == 0 && is_changed) {
            is_changed = false;
            system_call(SYS_rt_sigprocmask, SIG_SETMASK, word(&before), 0, kMaskBytes);
        }
    }

  private:
    static constexpr long kMaskBytes = 8;  // of the kernel's set, whatever libc's is

    static inline constinit thread_local unsigned depth = 0;
    static inline constinit thread_local bool is_changed = false;
    static inline constinit thread_local std::uint64_t before = 0;
};

}  // namespace xylem
