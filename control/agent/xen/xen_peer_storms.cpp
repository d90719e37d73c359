// XenPeers: a peer that sends or rings on its control ring without end. A line a storm, at its beginning.
#include <spdlog/spdlog.h>

#include "control/agent/agent.hpp"
#include "control/agent/xen/xen_peers.hpp"

namespace xylem::agent {

void XenPeers::on_storm(DomainId peer) {
    if (agent_.storms.note(peer, now_ns()) && agent_.peer_log.may(peer))
        spdlog::warn("domain {} sends or rings without end: it gets half of the agent's time, and waits",
                     peer);
}

}  // namespace xylem::agent
