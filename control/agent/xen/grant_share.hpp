// How much of the guest's grants one connection gets, and one peer.
#pragma once

#include <map>
#include <optional>

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

// Who holds how many pages. One peer may have kMostTimes as many as are left for all then (dynamic
// thresholds: Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory packet switches",
// 1998): a single one gets most of them, and each that takes what it can leaves a fifth of what it found.
class GrantShares {
  public:
    struct Lease {
        Quota::Lease of_all;
        Quota::Lease of_peer;
    };
    static constexpr std::uint64_t kMostTimes = 4;

    explicit GrantShares(Quota& grants) : grants_(grants) {}

    // Nothing if the quota or the peer's share would be passed.
    std::optional<Lease> take(std::uint32_t peer, std::uint64_t pages) {
        Quota& share = shares_.try_emplace(peer, grants_.limit()).first->second;
        if (!grants_.has_room(pages)) return std::nullopt;
        const std::uint64_t left = grants_.limit() - grants_.used() - pages;
        if (share.used() + pages > kMostTimes * left) return std::nullopt;
        auto of_all = grants_.take(pages);
        auto of_peer = share.take(pages);
        if (!of_all || !of_peer) return std::nullopt;
        return Lease{std::move(*of_all), std::move(*of_peer)};
    }
    std::uint64_t of(std::uint32_t peer) const {
        const auto found = shares_.find(peer);
        return found == shares_.end() ? 0 : found->second.used();
    }
    template <class Visit>
    void for_each_peer(Visit visit) const {
        for (const auto& [peer, share] : shares_) {
            if (share.used() > 0) visit(peer);
        }
    }

  private:
    Quota& grants_;
    std::map<std::uint32_t, Quota> shares_;  // nodes stay where they are: leases point to them
};

}  // namespace xylem::agent
