// Time for short spans: how long a spin or a copy took. Where clock_gettime(2) is a system call, as in PV
// guests of Xen, asking it costs more than what is to be measured; so this is the processor's time stamp
// counter, set against CLOCK_MONOTONIC over the first kCalibrationNs, and that clock itself until then.
//
// Not for deadlines: the counter may stop with the machine, and tick differently after a live migration.
// Any thread.
#pragma once

#include "vsock-transport/base/atomic.hpp"
#include "vsock-transport/base/clock.hpp"

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace xylem {

#if defined(__x86_64__)

struct SpanClock {
    static constexpr std::uint64_t kCalibrationNs = 10 * kNsPerMs;

    enum class State : std::uint32_t { unused, beginning, running };
    AtomicU32 state{0};
    AtomicU64 base_ns{0};
    AtomicU64 base_ticks{0};
    AtomicU64 ns_per_tick{0};  // in units of 2^-32; 0: not known yet

    std::uint64_t now() {
        const std::uint64_t rate = ns_per_tick.load_acquire();
        if (rate == 0) return calibrate();
        const auto ticks = static_cast<std::int64_t>(__rdtsc() - base_ticks.load_relaxed());
        const auto ns = static_cast<__int128>(ticks) * static_cast<__int128>(rate) >> 32;
        return base_ns.load_relaxed() + static_cast<std::uint64_t>(ns);
    }

  private:
    std::uint64_t calibrate() {
        const std::uint64_t ns = now_ns();
        const std::uint64_t ticks = __rdtsc();
        if (state.load_acquire() == static_cast<std::uint32_t>(State::running)) {
            const std::uint64_t passed_ns = ns - base_ns.load_relaxed();
            const std::uint64_t passed_ticks = ticks - base_ticks.load_relaxed();
            if (passed_ns < kCalibrationNs || passed_ticks == 0) return ns;
            const auto rate = (static_cast<unsigned __int128>(passed_ns) << 32) / passed_ticks;
            ns_per_tick.store_release(static_cast<std::uint64_t>(rate));
        } else if (state.compare_exchange(0, static_cast<std::uint32_t>(State::beginning))) {
            base_ns.store_relaxed(ns);
            base_ticks.store_relaxed(ticks);
            state.store_release(static_cast<std::uint32_t>(State::running));
        }
        return ns;
    }
};

inline constinit SpanClock span_clock{};
inline std::uint64_t span_now_ns() { return span_clock.now(); }

#else

inline std::uint64_t span_now_ns() { return now_ns(); }

#endif

}  // namespace xylem
