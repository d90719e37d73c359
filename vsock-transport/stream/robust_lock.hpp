// A lock in an end page, shared by threads and processes. A holder that dies is repaired, not waited for:
// the next one is told and puts right what the dead one may have left between two stores.
#pragma once

#include <pthread.h>

#include <cerrno>

#include "vsock-transport/base/clock.hpp"
#include "vsock-transport/base/system_call.hpp"

namespace xylem {

class RobustGuard {
  public:
    // busy: the bound passed. reentered: a signal handler came in over its own thread's call (EDEADLK).
    // The lock is held in the first two only.
    enum class State { locked, repaired, busy, reentered };

    explicit RobustGuard(pthread_mutex_t& lock) : lock_(lock) { note(::pthread_mutex_lock(&lock)); }

    // Gives up after bound_ns: for an agent, which must not hang on what a program wrote over its lock.
    RobustGuard(pthread_mutex_t& lock, std::uint64_t bound_ns) : lock_(lock) {
        int result = ::pthread_mutex_trylock(&lock);
        const std::uint64_t deadline_ns = deadline_after(bound_ns);
        while (result == EBUSY && now_ns() < deadline_ns) {
            timespec pause = to_timespec(kTryAgainNs);
            system_call(SYS_nanosleep, word(&pause));
            result = ::pthread_mutex_trylock(&lock);
        }
        note(result);
    }
    ~RobustGuard() {
        if (held_) ::pthread_mutex_unlock(&lock_);
    }
    RobustGuard(const RobustGuard&) = delete;
    RobustGuard& operator=(const RobustGuard&) = delete;

    State state() const { return state_; }
    bool is_held() const { return held_; }

    // Called once by the agent on a fresh end page.
    static void initialise(pthread_mutex_t& lock) {
        pthread_mutexattr_t attributes;
        ::pthread_mutexattr_init(&attributes);
        ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
        ::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
        ::pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
        ::pthread_mutex_init(&lock, &attributes);
        ::pthread_mutexattr_destroy(&attributes);
    }

  private:
    static constexpr std::uint64_t kTryAgainNs = 50 * kNsPerUs;

    void note(int result) {
        if (result == EOWNERDEAD) ::pthread_mutex_consistent(&lock_);
        held_ = result == 0 || result == EOWNERDEAD;
        state_ = result == 0            ? State::locked
                 : result == EOWNERDEAD ? State::repaired
                 : result == EBUSY      ? State::busy
                                        : State::reentered;
    }

    pthread_mutex_t& lock_;
    State state_ = State::locked;
    bool held_ = false;
};

}  // namespace xylem
