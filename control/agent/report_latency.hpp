// Counts of how long something took (stream/latency.hpp), in reports.
#pragma once

#include <cstdint>
#include <span>

#include "control/agent/report.hpp"

namespace xylem::agent {

// count, sum_ns, p50_ns, p90_ns, p99_ns, p999_ns (upper bounds of their buckets; null without a count and
// where it is more than a minute), and bounds: how many took less than so many nanoseconds, in powers of four
// from 256 ns on.
Json json_of_latency(std::span<const std::uint64_t> counts, std::uint64_t sum_ns);

}  // namespace xylem::agent
