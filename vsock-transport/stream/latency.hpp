// How long something took, as counts of buckets that grow by a seventh to a quarter each, from 64 ns to a
// minute and more. Shared by the processes that hold an end; counted with plain adds, like EndCounters.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "vsock-transport/base/atomic.hpp"

namespace xylem {

inline constexpr unsigned kLatencyBuckets = 120;

// Buckets are quarters of octaves: 64 to 79 ns, 80 to 95, 96 to 111, 112 to 127, 128 to 159, ...; what is
// less counts in the first one, what is more in the last.
constexpr unsigned latency_bucket(std::uint64_t ns) {
    if (ns < 64) return 0;
    const auto octave = static_cast<unsigned>(std::bit_width(ns)) - 1;
    const auto quarter = static_cast<unsigned>(ns >> (octave - 2)) & 3;
    const unsigned bucket = (octave - 6) * 4 + quarter;
    return bucket < kLatencyBuckets ? bucket : kLatencyBuckets - 1;
}
// The first time that is too long for it. The last one has none.
constexpr std::uint64_t latency_bound_ns(unsigned bucket) {
    return std::uint64_t{5 + bucket % 4} << (bucket / 4 + 4);
}

struct LatencyHistogram {
    void add(std::uint64_t ns) {
        AtomicU64& count = counts[latency_bucket(ns)];
        count.store_relaxed(count.load_relaxed() + 1);
        sum_ns.store_relaxed(sum_ns.load_relaxed() + ns);
    }

    AtomicU64 sum_ns;
    AtomicU64 counts[kLatencyBuckets];
};

static_assert(latency_bucket(0) == 0 && latency_bucket(79) == 0 && latency_bucket(80) == 1);
static_assert(latency_bucket(127) == 3 && latency_bucket(128) == 4 &&
              latency_bucket(~0ULL) == kLatencyBuckets - 1);
static_assert(latency_bound_ns(0) == 80 && latency_bound_ns(3) == 128 && latency_bound_ns(4) == 160);

}  // namespace xylem
