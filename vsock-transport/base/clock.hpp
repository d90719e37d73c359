// Time in nanoseconds: monotonic, and of the day.
#pragma once

#include <time.h>

#include <cstdint>

namespace xylem {

inline constexpr std::uint64_t kNsPerUs = 1'000;
inline constexpr std::uint64_t kNsPerMs = 1'000'000;
inline constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
inline constexpr std::uint64_t kForever = ~0ULL;

inline std::uint64_t clock_ns(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * kNsPerSecond + static_cast<std::uint64_t>(now.tv_nsec);
}
inline std::uint64_t now_ns() { return clock_ns(CLOCK_MONOTONIC); }
inline std::uint64_t wall_clock_ns() { return clock_ns(CLOCK_REALTIME); }

inline timespec to_timespec(std::uint64_t ns) {
    return {static_cast<time_t>(ns / kNsPerSecond), static_cast<long>(ns % kNsPerSecond)};
}

// now + timeout, or never where that would overflow.
inline std::uint64_t deadline_after(std::uint64_t timeout_ns) {
    const std::uint64_t now = now_ns();
    return timeout_ns > kForever - now ? kForever : now + timeout_ns;
}

}  // namespace xylem
