// Objects of one type, never given back to the system (fd_table.hpp says why). No malloc: socket calls are
// made in places where malloc may not be entered again.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <new>

#include "guest-lib/lock.hpp"

namespace xylem {

// T has a member T* next_free.
template <class T>
class Pool {
  public:
    // A fresh T, or null without memory.
    T* take() {
        void* place = take_place();
        return place != nullptr ? new (place) T() : nullptr;
    }
    // The object's resources are released already; its counters stay readable.
    void give(T* object) {
        LockGuard guard(lock_);
        object->next_free = free_;
        free_ = object;
    }
    void reset_lock() { lock_.reset(); }
    Lock& lock() { return lock_; }

  private:
    static constexpr std::size_t kChunk = 64;

    void* take_place() {
        LockGuard guard(lock_);
        if (free_ != nullptr) {
            T* object = free_;
            free_ = object->next_free;
            return object;
        }
        if (left_ == 0) {
            void* memory = ::mmap(nullptr, kChunk * sizeof(T), PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (memory == MAP_FAILED) return nullptr;
            chunk_ = static_cast<std::byte*>(memory);
            left_ = kChunk;
        }
        --left_;
        return chunk_ + left_ * sizeof(T);
    }

    Lock lock_;
    T* free_ = nullptr;
    std::byte* chunk_ = nullptr;
    std::size_t left_ = 0;
};

}  // namespace xylem
