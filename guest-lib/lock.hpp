// A process-private lock that can be a zero-initialised global.
#pragma once

#include <pthread.h>

#include "guest-lib/signals_held.hpp"
#include "vsock-transport/base/clock.hpp"
#include "vsock-transport/base/sandbox.hpp"

namespace xylem {

class Lock {
  public:
    void lock() { ::pthread_mutex_lock(&mutex_); }
    bool try_lock() { return ::pthread_mutex_trylock(&mutex_) == 0; }
    // False: not within a millisecond, or not at once in a sandbox, whose filter may not expect a futex.
    bool lock_soon() {
        if (try_lock()) return true;
        if (is_sandboxed()) return false;
        const timespec deadline = to_timespec(deadline_after(kNsPerMs));
        return ::pthread_mutex_clocklock(&mutex_, CLOCK_MONOTONIC, &deadline) == 0;
    }
    void unlock() { ::pthread_mutex_unlock(&mutex_); }
    // In a fork child: whoever held it is not in this process.
    void reset() { mutex_ = PTHREAD_MUTEX_INITIALIZER; }

  private:
    pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
};

class LockGuard {
  public:
    explicit LockGuard(Lock& lock) : lock_(lock) { lock_.lock(); }
    ~LockGuard() { lock_.unlock(); }
    LockGuard(const LockGuard&) = delete;
    LockGuard& operator=(const LockGuard&) = delete;

  private:
    const SignalsHeld signals_;
    Lock& lock_;
};

// Of what can be done without, though not for less than the wait costs: another thread has the lock, for a
// moment or over a fork.
class SoonLockGuard {
  public:
    explicit SoonLockGuard(Lock& lock) : lock_(lock), is_held_(lock.lock_soon()) {}
    ~SoonLockGuard() {
        if (is_held_) lock_.unlock();
    }
    SoonLockGuard(const SoonLockGuard&) = delete;
    SoonLockGuard& operator=(const SoonLockGuard&) = delete;
    bool is_held() const { return is_held_; }

  private:
    const SignalsHeld signals_;
    Lock& lock_;
    bool is_held_;
};

}  // namespace xylem
