// Latency: percentiles by their buckets.
#include "control/agent/report_latency.hpp"

#include <numeric>

#include "vsock-transport/stream/latency.hpp"

namespace xylem::agent {
namespace {

constexpr std::uint64_t kFirstBoundNs = 256;
constexpr std::uint64_t kBoundSteps = 4;

// thousandths: 500 is the median.
Json percentile(std::span<const std::uint64_t> counts, std::uint64_t total, std::uint64_t thousandths) {
    if (total == 0) return nullptr;
    std::uint64_t below = 0;
    unsigned bucket = 0;
    while (bucket < counts.size()) {
        below += counts[bucket];
        if (below * 1000 >= total * thousandths) break;
        ++bucket;
    }
    return bucket + 1 < counts.size() ? Json(latency_bound_ns(bucket)) : Json();
}

// Every bound is that of a bucket.
Json below_bounds(std::span<const std::uint64_t> counts) {
    Json bounds = Json::array();
    std::uint64_t below = 0;
    std::uint64_t bound_ns = kFirstBoundNs;
    for (unsigned bucket = 0; bucket + 1 < counts.size(); ++bucket) {
        below += counts[bucket];
        if (latency_bound_ns(bucket) != bound_ns) continue;
        bounds.push_back({{"below_ns", bound_ns}, {"count", below}});
        bound_ns *= kBoundSteps;
    }
    return bounds;
}

}  // namespace

Json json_of_latency(std::span<const std::uint64_t> counts, std::uint64_t sum_ns) {
    const std::uint64_t total = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
    return {{"count", total},
            {"sum_ns", sum_ns},
            {"p50_ns", percentile(counts, total, 500)},
            {"p90_ns", percentile(counts, total, 900)},
            {"p99_ns", percentile(counts, total, 990)},
            {"p999_ns", percentile(counts, total, 999)},
            {"bounds", below_bounds(counts)}};
}

}  // namespace xylem::agent
