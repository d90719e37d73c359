// A process-private lock that can be a zero-initialised global.
#pragma once

#include <pthread.h>

namespace xylem {

class Lock {
  public:
    void lock() { ::pthread_mutex_lock(&mutex_); }
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

}  // namespace xylem
