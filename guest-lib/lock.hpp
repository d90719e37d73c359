// A process-private lock that can be a zero-initialised global.
#pragma once

#include <pthread.h>

namespace xylem {

class Lock {
  public:
    void lock() { ::pthread_mutex_lock(&mutex_); }
    bool try_lock() { return ::pthread_mutex_trylock(&mutex_) == 0; }
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
    Lock& lock_;
};

// Of what can be done without: another thread has the lock, or this one, below a signal handler.
class TryLockGuard {
  public:
    explicit TryLockGuard(Lock& lock) : lock_(lock), is_held_(lock.try_lock()) {}
    ~TryLockGuard() {
        if (is_held_) lock_.unlock();
    }
    TryLockGuard(const TryLockGuard&) = delete;
    TryLockGuard& operator=(const TryLockGuard&) = delete;
    bool is_held() const { return is_held_; }

  private:
    Lock& lock_;
    bool is_held_;
};

}  // namespace xylem
