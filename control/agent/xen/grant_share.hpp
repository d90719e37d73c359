// How much of the guest's grants one connection gets.
#pragma once

#include "control/agent/quota.hpp"
#include "vsock-transport/stream/region.hpp"

namespace xylem::agent {

// Rings are large while few share, and ever smaller as pages run short: a new slab takes at most 1/kShare of
// what is above the reserve, which is for the smallest rings alone, so that thousands of connections find
// room. grants: pages. The geometry is valid, and stays so.
inline SlabGeometry fit_to_grants(SlabGeometry geometry, const Quota& grants) {
    constexpr std::uint64_t kShare = 8;
    const std::uint64_t reserve = grants.limit() / 4 * 3;
    const std::uint64_t left = grants.limit() - grants.used();
    const std::uint64_t most = left > reserve ? (left - reserve) / kShare : 0;
    for (std::uint64_t& size : geometry.ring_size_bytes) {
        while (size > kMinRingSizeBytes && size / kPageBytes > most / 2) size /= 2;
    }
    return geometry;
}

}  // namespace xylem::agent
