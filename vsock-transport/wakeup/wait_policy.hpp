// How long to spin before sleeping. A wake-up through the kernel costs some 11 us here, a hand-over to a
// spinning waiter 0.06 us, so spinning wins while waits are short and another core runs the peer; where none
// is free, spinning only keeps the peer from running.
//
// The budget halves with each spin that found nothing and returns to the maximum with each that won. Once it
// fell below kLeastNs it is zero, and every kProbeEvery-th wait spins kProbeNs to learn whether times
// changed. Advisory state of one waiter's place (a socket direction, a thread, an epoll set); races cost
// accuracy only.
#pragma once

#include <cstdint>

#include "vsock-transport/base/atomic.hpp"
#include "vsock-transport/base/clock.hpp"

namespace xylem {

inline constexpr std::uint32_t kDefaultSpinNs = 50'000;  // a little over four wake-ups of 11 us
inline constexpr std::uint32_t kMaxSpinNs = 10'000'000;

class WaitPolicy {
  public:
    static constexpr std::uint32_t kLeastNs = 1'500;
    static constexpr std::uint32_t kProbeNs = 5'000;
    static constexpr std::uint32_t kProbeEvery = 16;

    // max_ns: 0 (never spin) to kMaxSpinNs.
    void set_max_ns(std::uint32_t max_ns) {
        max_ns_.store_relaxed(max_ns);
        budget_ns_.store_relaxed(max_ns);
    }

    // The budget for the wait that begins now.
    std::uint32_t next_budget_ns() {
        const std::uint32_t budget = budget_ns_.load_relaxed();
        const std::uint32_t max = max_ns_.load_relaxed();
        if (budget != 0 || max == 0) return budget;
        const std::uint32_t waits = waits_.load_relaxed() + 1;
        waits_.store_relaxed(waits);
        if (waits % kProbeEvery != 0) return 0;
        return max < kProbeNs ? max : kProbeNs;
    }

    void won() { budget_ns_.store_relaxed(max_ns_.load_relaxed()); }
    void lost() {
        const std::uint32_t half = budget_ns_.load_relaxed() / 2;
        budget_ns_.store_relaxed(half < kLeastNs ? 0 : half);
    }

    // Spins until ready() or the budget is spent; says whether ready() came true.
    template <class Ready>
    bool spin(Ready ready) {
        const std::uint32_t budget_ns = next_budget_ns();
        if (budget_ns == 0) return false;
        const std::uint64_t start_ns = now_ns();
        do {
            for (int i = 0; i < kLooksPerClock; ++i) {
                if (ready()) {
                    won();
                    return true;
                }
                cpu_relax();
            }
        } while (now_ns() - start_ns < budget_ns);
        lost();
        return false;
    }

  private:
    static constexpr int kLooksPerClock = 32;

    AtomicU32 max_ns_{kDefaultSpinNs};
    AtomicU32 budget_ns_{kDefaultSpinNs};
    AtomicU32 waits_{0};
};

// A kick that is lost or withheld costs at most a bounded sleep. The bound of one long wait doubles from a
// second to sixteen, so that thousands of idle waiters look up seldom.
inline constexpr std::uint64_t kBoundedSleepNs = kNsPerSecond;
inline constexpr std::uint64_t kLongestSleepNs = 16 * kNsPerSecond;
inline constexpr std::uint64_t kNoSlotSleepNs = kNsPerMs;  // of a waiter that found no slot

class SleepBound {
  public:
    std::uint64_t next_ns(bool has_slot) {
        if (!has_slot) return kNoSlotSleepNs;
        const std::uint64_t bound_ns = bound_ns_.load_relaxed();
        if (bound_ns < kLongestSleepNs) bound_ns_.store_relaxed(2 * bound_ns);
        return bound_ns;
    }
    void reset() { bound_ns_.store_relaxed(kBoundedSleepNs); }

  private:
    AtomicU64 bound_ns_{kBoundedSleepNs};
};

}  // namespace xylem
