// Event channels that waiters of this domain sleep on, each for one doorbell and the guest that its peers are
// in: made here, since programs may not open the devices, and slept on by the program alone. The flag area of
// a set's doorbell is a page that is granted to that guest; pages are used again for the same guest, so that
// a reference which it remembers too long shows it nothing but flags.
#pragma once

#include <map>
#include <vector>

#include "control/agent/peer_shares.hpp"
#include "vsock-transport/base/unique_fd.hpp"
#include "vsock-transport/xen/event_channel.hpp"

namespace xylem::agent {

struct FlagPage {
    UniqueFd fd;  // of gntalloc
    GrantRef ref = 0;
    PeerShares::Lease quota;
};

// Of a doorbell, as long as that is registered.
struct WaiterChannel {
    std::uint32_t port = 0;
    FlagPage area;         // empty: a thread's doorbell
    bool is_told = false;  // the peer's agent knows of it, and is told when it is gone
    PeerShares::Lease quota;
};

class WaiterChannels {
  public:
    // Leaves gntalloc's pages (1,024 of them, by default) to slabs.
    static constexpr std::size_t kMostPages = 128;

    // channels: how many this domain may have, with those that it binds.
    explicit WaiterChannels(PeerShares& channels) : channels_(channels) {}

    struct Made {
        WaiterChannel channel;
        UniqueFd waiter;  // for the program
    };
    // Errors: exhausted: of all channels, of pages, or of what one guest may have; system.
    Result<Made> make(DomainId peer, bool wants_area);
    void take_back(DomainId peer, WaiterChannel channel);
    // Pages that are granted to that guest.
    std::uint64_t pages_of(DomainId peer) const { return page_shares_.of(peer); }
    // The guest is no more: its pages serve nobody.
    void drop_guest(DomainId peer) { free_pages_.erase(peer); }

  private:
    Result<FlagPage> take_page(DomainId peer);

    PeerShares& channels_;
    Quota pages_{kMostPages};
    PeerShares page_shares_{pages_};
    std::map<DomainId, std::vector<FlagPage>> free_pages_;
};

}  // namespace xylem::agent
