// The one header in which std::atomic appears, so that a checker can put its own in place.
// Every access names its order; there is no default.
#pragma once

#include <atomic>
#include <cstdint>

namespace xylem {

template <class T>
class Atomic {
  public:
    constexpr Atomic() = default;
    constexpr explicit Atomic(T value) : value_(value) {}

    T load_relaxed() const { return value_.load(std::memory_order_relaxed); }
    T load_acquire() const { return value_.load(std::memory_order_acquire); }
    void store_relaxed(T value) { value_.store(value, std::memory_order_relaxed); }
    void store_release(T value) { value_.store(value, std::memory_order_release); }
    T exchange(T value) { return value_.exchange(value, std::memory_order_acq_rel); }
    bool compare_exchange(T expected, T desired) {
        return value_.compare_exchange_strong(expected, desired, std::memory_order_acq_rel,
                                              std::memory_order_acquire);
    }
    T fetch_add(T value) { return value_.fetch_add(value, std::memory_order_acq_rel); }
    T fetch_sub(T value) { return value_.fetch_sub(value, std::memory_order_acq_rel); }
    T fetch_or(T value) { return value_.fetch_or(value, std::memory_order_acq_rel); }
    T fetch_and(T value) { return value_.fetch_and(value, std::memory_order_acq_rel); }

    static_assert(std::atomic<T>::is_always_lock_free, "shared words must not hide a lock");

  private:
    std::atomic<T> value_{};
};

using AtomicU16 = Atomic<std::uint16_t>;
using AtomicU32 = Atomic<std::uint32_t>;
using AtomicU64 = Atomic<std::uint64_t>;

// Orders all earlier loads and stores before all later ones, for every processor that does the same
// (the two halves of the wake-up recipe). Nothing weaker keeps a store before a later load.
inline void full_fence() { std::atomic_thread_fence(std::memory_order_seq_cst); }

inline void cpu_relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield" ::: "memory");
#endif
}

}  // namespace xylem
