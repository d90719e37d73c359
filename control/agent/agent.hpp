// All parts of one agent. Single-threaded: everything runs in the event loop's thread. Parts refer to each
// other through here; what is handled by kind of message are functions over it, one file a kind.
#pragma once

#include <string>
#include <vector>

#include "control/agent/bells.hpp"
#include "control/agent/captures.hpp"
#include "control/agent/counters.hpp"
#include "control/agent/data_sums.hpp"
#include "control/agent/ends.hpp"
#include "control/agent/event_loop.hpp"
#include "control/agent/far_bells.hpp"
#include "control/agent/left_behind.hpp"
#include "control/agent/links.hpp"
#include "control/agent/listeners.hpp"
#include "control/agent/map_publisher.hpp"
#include "control/agent/orphans.hpp"
#include "control/agent/peer_shares.hpp"
#include "control/agent/policy_file.hpp"
#include "control/agent/queueing.hpp"
#include "control/agent/quota.hpp"
#include "control/agent/relayed_bells.hpp"
#include "control/agent/runs.hpp"
#include "control/agent/seldom.hpp"
#include "control/agent/sessions.hpp"
#include "control/agent/settings.hpp"
#include "control/agent/slab_pool.hpp"
#include "control/agent/storms.hpp"
#include "control/agent/vsock_ports.hpp"
#include "control/agent/xen/kicker_channels.hpp"
#include "control/agent/xen/waiter_channels.hpp"
#include "control/protocol/remote_domain.hpp"
#include "control/protocol/runtime_paths.hpp"

namespace xylem::agent {

class XenPeers;

struct Agent {
    Agent(EventLoop& event_loop, const Settings& given);
    Agent(const Agent&) = delete;
    Agent& operator=(const Agent&) = delete;
    ~Agent();

    RuntimePath link_socket(std::uint32_t domain) const { return xylem::link_socket(domain); }
    // Unique at this domain, over restarts too.
    std::uint64_t next_connection_id() { return next_connection_id_++; }
    // D8: other domains reach listeners at wildcards and at addresses that the map gives to this domain.
    bool offers_to_others(const Listener& listener) const;
    // Rings a doorbell of any domain: at once if it is ours, else when its agent told us where it is.
    void ring(std::uint32_t domain, WaitToken token);
    // A doorbell of ours is no more.
    void free_bell(std::uint32_t id);
    // Another guest, which was met through XenStore; not a domain of this kernel.
    bool reaches_by_grants(std::uint32_t domain) const;

    EventLoop& loop;
    const Settings settings;
    const std::uint64_t boot_id;
    const std::uint64_t started_ns;
    Counters counters;
    DataSums ended_data;               // of ends that are gone
    ConnectionSums ended_connections;  // of programs that are gone
    Quota memory;                      // slab bytes in use
    PeerShares memory_shares;
    Quota session_quota;
    Quota grants;  // pages that other guests may map
    PeerShares grant_shares;
    Quota mapped;  // pages of other guests that connections use
    PeerShares mapped_shares;
    Quota channels;  // event channels, but those of control rings
    PeerShares channel_shares;
    SeldomOfEach peer_log;  // of lines that a peer domain can cause
    Storms storms;
    MapPublisher map;
    PolicyFile policy;
    SlabPool pool;
    Ends ends;
    WaiterChannels waiter_channels;
    KickerChannels kicker_channels;
    Bells bells;
    Listeners listeners;
    VsockPorts vsock_ports;
    Runs runs;
    Sessions sessions;
    Captures captures;
    Orphans orphans;
    Links links;
    FarBells far_bells;
    RelayedBells relayed_bells;
    LostInAcceptance lost_in_acceptance;
    LeftBehind left_behind;
    std::unique_ptr<XenPeers> xen;  // null where this is no Xen guest, or not the guest's own domain
    std::uint32_t last_holder = 0;  // the number that a process was given last (slab_layout.h)

  private:
    std::uint64_t next_connection_id_;
};

}  // namespace xylem::agent
