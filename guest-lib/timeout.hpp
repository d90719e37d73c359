// Time-outs of waiting calls, in nanoseconds. Longer than the clock will ever run is for ever.
#pragma once

#include "vsock-transport/base/clock.hpp"

namespace xylem {

inline std::uint64_t timeout_of_ms(int timeout_ms) {
    return timeout_ms < 0 ? kForever : static_cast<std::uint64_t>(timeout_ms) * kNsPerMs;
}

// False: not a time that the kernel would take.
inline bool to_timeout_ns(const timespec* timeout, std::uint64_t& ns) {
    ns = kForever;
    if (timeout == nullptr) return true;
    if (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= 1'000'000'000) return false;
    const auto seconds = static_cast<std::uint64_t>(timeout->tv_sec);
    if (seconds >= kForever / 2 / kNsPerSecond) return true;
    ns = seconds * kNsPerSecond + static_cast<std::uint64_t>(timeout->tv_nsec);
    return true;
}

}  // namespace xylem
