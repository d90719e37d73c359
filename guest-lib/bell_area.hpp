// A doorbell with a flag area, for waiting on several ends whose peers are in one domain: an epoll set's, or
// a listener's for its kept ends. Its owner makes it, changes it and closes it under a lock of its own.
//
// Peers in another guest ring an event channel, and have flags of their own in a page that is granted to
// them: agents and processes of the own domain ring beside it, and see nothing of that page.
#pragma once

#include "vsock-transport/base/mapping.hpp"
#include "vsock-transport/base/unique_fd.hpp"
#include "vsock-transport/wakeup/doorbell.hpp"
#include "vsock-transport/xen/channel_waiter.hpp"

namespace xylem {

struct BellArea {
    std::uint32_t peer_domain = 0;
    std::uint32_t bell_id = 0;
    UniqueFd waiter;
    UniqueFd kicker;
    UniqueFd memory;
    Mapping mapping;
    ChannelWaiter channel;
    Mapping granted;

    void set_sleeping(bool sleeping);
    bool has_ready() const;
    // As ReadyArea's.
    template <class Ready>
    void collect(bool full_scan, Ready ready) {
        flags().collect(full_scan, ready);
        if (granted) granted_flags().collect(full_scan, ready);
    }
    // Takes the kicks. Never blocks.
    void drain();
    void drain_channel();
    // For an owner that sleeps all the time, as far as peers can see: takes the kicks and shows the flags
    // again. The bits are looked at after that.
    void calm_down();
    // As a peer would, without a flag.
    void kick() const;
    // False without an agent, memory or descriptors.
    bool make(std::uint32_t domain);
    // To a restarted agent.
    void register_again();
    void close();

  private:
    ReadyArea flags() const { return ReadyArea(mapping.as<DoorbellArea>()); }
    ReadyArea granted_flags() const { return ReadyArea(granted.as<DoorbellArea>()); }
    bool open_channel(UniqueFd rung, UniqueFd page);
};

}  // namespace xylem
