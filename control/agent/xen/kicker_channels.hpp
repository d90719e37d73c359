// Event channels of doorbells in other guests, bound for the programs of this domain that kick them. A
// channel has one other end, so one is bound for all of them, and each gets a descriptor of the same open
// file.
#pragma once

#include <map>
#include <optional>
#include <utility>

#include "control/agent/peer_shares.hpp"
#include "vsock-transport/xen/event_channel.hpp"

namespace xylem::agent {

struct KickerChannel {
    EventChannel channel;
    std::optional<GrantRef> area;
    PeerShares::Lease quota;

    // The area, to be mapped once by one process. Errors: system.
    Result<UniqueFd> attach_area(DomainId owner) const { return attach_pages(owner, &*area, 1); }
};

class KickerChannels {
  public:
    explicit KickerChannels(PeerShares& channels) : channels_(channels) {}

    // Null: it is not bound.
    const KickerChannel* find(std::uint32_t domain, std::uint32_t bell_id) const;
    // Errors: exhausted: of all channels, or of those that one domain may make us bind; system.
    Result<const KickerChannel*> bind(std::uint32_t domain, std::uint32_t bell_id, std::uint32_t port,
                                      std::optional<GrantRef> area);
    // The doorbell is gone: kicks of those who still have the channel fail, and they ask for it anew.
    void drop(std::uint32_t domain, std::uint32_t bell_id);
    void drop_all(std::uint32_t domain);

  private:
    using Key = std::pair<std::uint32_t, std::uint32_t>;  // domain, doorbell

    PeerShares& channels_;
    std::map<Key, KickerChannel> bound_;
    std::map<std::uint32_t, std::uint64_t> counts_;  // by domain
};

}  // namespace xylem::agent
