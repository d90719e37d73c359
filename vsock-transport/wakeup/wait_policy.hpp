// How long to spin before sleeping. A wake-up through the kernel costs some 11 us here, a hand-over to a
// spinning waiter 0.06 us, so spinning wins while waits are short and another core runs the peer; where none
// is free, spinning only keeps the peer from running.
//
// A spin looks for kLookNs, then gives the core away between looks. That costs a short system call where the
// core is its own; where the peer sits on the same core (a wake-up tends to put it there) the peer runs and
// answers without anybody's wake-up, and since both stay runnable, the kernel moves one of them to a free
// core. The budget is of time that the waiter itself has the core: while others run nothing is spent, up to
// stolen_ns() in all. So two peers on one core take turns by yields, each with all that the other has written
// meanwhile, where with wake-ups each write would take the core from its writer. Where a yield itself takes
// long, as in PV guests of Xen, looking gets four times as long between two; from kTurnNs on, somebody ran.
//
// The budget halves with each spin that found nothing and returns to the maximum with each that won. Below
// kLeastNs it is zero, and so it is at once if somebody else kept the core for stolen_ns(): then the
// machine is full. From then on every n-th wait probes whether times have changed, with n doubling from
// kProbeFirst to kProbeLast while probes lose, and for probe_ns(), which is more than the peer's wake-up
// takes, given that the maximum is a little over four of them.
//
// Advisory state of one waiter's place (a socket direction, a thread, an epoll set); races cost accuracy
// only.
#pragma once

#include <algorithm>
#include <cstdint>

#include "vsock-transport/base/atomic.hpp"
#include "vsock-transport/base/clock.hpp"
#include "vsock-transport/base/limits.hpp"
#include "vsock-transport/base/sandbox.hpp"
#include "vsock-transport/base/span_clock.hpp"
#include "vsock-transport/base/system_call.hpp"

namespace xylem {

inline constexpr std::uint32_t kDefaultSpinNs = 50'000;  // a little over four wake-ups of 11 us

class WaitPolicy {
  public:
    static constexpr std::uint32_t kLeastNs = 1'500;
    static constexpr std::uint32_t kLookNs = 2'000;
    static constexpr std::uint32_t kTurnNs = 20'000;
    static constexpr std::uint32_t kProbeFirst = 16;
    static constexpr std::uint32_t kProbeLast = 4'096;

    // max_ns: 0 (never spin) to kMaxSpinNs.
    void set_max_ns(std::uint32_t max_ns) {
        max_ns_.store_relaxed(max_ns);
        budget_ns_.store_relaxed(max_ns);
    }
    std::uint32_t max_ns() const { return max_ns_.load_relaxed(); }

    // 30 us and 400 us where max_ns() is the default.
    std::uint32_t probe_ns() const { return max_ns() / 5 * 3; }
    std::uint32_t stolen_ns() const { return 8 * max_ns(); }

    // The budget for the wait that begins now.
    std::uint32_t next_budget_ns() {
        const std::uint32_t budget = budget_ns_.load_relaxed();
        const std::uint32_t max = max_ns_.load_relaxed();
        if (budget != 0 || max == 0) return budget;
        const std::uint32_t waits = waits_.load_relaxed() + 1;
        if (waits < probe_every_.load_relaxed()) {
            waits_.store_relaxed(waits);
            return 0;
        }
        waits_.store_relaxed(0);
        return probe_ns();
    }

    void won() {
        budget_ns_.store_relaxed(max_ns_.load_relaxed());
        probe_every_.store_relaxed(kProbeFirst);
    }
    void lost() {
        const std::uint32_t budget = budget_ns_.load_relaxed();
        const std::uint32_t half = budget / 2;
        budget_ns_.store_relaxed(half < kLeastNs ? 0 : half);
        if (budget == 0) probe_less();
    }
    // Somebody else needs the core.
    void lost_the_core() {
        budget_ns_.store_relaxed(0);
        probe_less();
    }

    // Spins until ready() or the budget is spent; says whether ready() came true.
    template <class Ready>
    bool spin(Ready ready) {
        const std::uint32_t budget_ns = next_budget_ns();
        if (budget_ns == 0) return false;
        const std::uint64_t start_ns = span_now_ns();
        std::uint64_t others_ns = 0;
        std::uint64_t seen_ns = start_ns;
        std::uint64_t yield_ns = start_ns + kLookNs;
        for (;;) {
            for (int i = 0; i < kLooksPerClock; ++i) {
                if (ready()) {
                    won();
                    return true;
                }
                cpu_relax();
            }
            const bool yields = seen_ns >= yield_ns && !is_sandboxed();
            if (yields) system_call(SYS_sched_yield);
            const std::uint64_t before_ns = seen_ns;
            seen_ns = span_now_ns();
            const std::uint64_t away_ns = seen_ns - before_ns;
            if (yields && away_ns > kLookNs) {
                yield_ns = seen_ns + (away_ns < kTurnNs ? kLooksPerYield * away_ns : kLookNs);
                others_ns += away_ns;
            }
            if (away_ns >= stolen_ns()) {
                lost_the_core();
                return ready();
            }
            if (seen_ns - start_ns >= std::min<std::uint64_t>(budget_ns + others_ns, stolen_ns())) break;
        }
        lost();
        return false;
    }

  private:
    static constexpr int kLooksPerClock = 32;
    static constexpr std::uint64_t kLooksPerYield = 4;

    void probe_less() {
        const std::uint32_t doubled = 2 * probe_every_.load_relaxed();
        probe_every_.store_relaxed(doubled < kProbeLast ? doubled : kProbeLast);
    }

    AtomicU32 max_ns_{kDefaultSpinNs};
    AtomicU32 budget_ns_{kDefaultSpinNs};
    AtomicU32 waits_{0};
    AtomicU32 probe_every_{kProbeFirst};
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
