// How what this domain has is shared out among its peers: pages of grants, event channels.
#pragma once

#include <map>
#include <optional>

#include "control/agent/quota.hpp"

namespace xylem::agent {

// Who holds how much. One peer may have kMostTimes as much as is left for all then (dynamic
// thresholds: Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory packet switches",
// 1998): a single one gets most of it, and each that takes what it can leaves a fifth of what it found.
class PeerShares {
  public:
    struct Lease {
        Quota::Lease of_all;
        Quota::Lease of_peer;
    };
    static constexpr std::uint64_t kMostTimes = 4;

    explicit PeerShares(Quota& quota) : quota_(quota) {}

    // Nothing if the quota or the peer's share would be passed.
    std::optional<Lease> take(std::uint32_t peer, std::uint64_t amount = 1) {
        Quota& share = shares_.try_emplace(peer, quota_.limit()).first->second;
        if (!quota_.has_room(amount)) return std::nullopt;
        const std::uint64_t left = quota_.limit() - quota_.used() - amount;
        if (share.used() + amount > kMostTimes * left) return std::nullopt;
        auto of_all = quota_.take(amount);
        auto of_peer = share.take(amount);
        if (!of_all || !of_peer) return std::nullopt;
        return Lease{std::move(*of_all), std::move(*of_peer)};
    }
    std::uint64_t limit() const { return quota_.limit(); }
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
    Quota& quota_;
    std::map<std::uint32_t, Quota> shares_;  // nodes stay where they are: leases point to them
};

}  // namespace xylem::agent
