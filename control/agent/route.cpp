// Routes: pure look-ups. AF_VSOCK needs no map: the cid is the domain (D9).
#include "control/agent/route.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "control/agent/agent.hpp"
#include "control/agent/names.hpp"

namespace xylem::agent {
namespace {

Reason reason_of(const MapHit& hit) {
    if (!hit.mapped) return Reason::not_mapped;
    switch (hit.target) {
        case MapTarget::domain:
        case MapTarget::domain_low16:
            return Reason::ring;
        case MapTarget::node:
            return is_remote_domain(hit.domain) ? Reason::ring : Reason::other_node;
        case MapTarget::unknown_guest:
            return Reason::unknown_guest;
        case MapTarget::tcp:
            break;
    }
    return Reason::mapped_to_tcp;
}

}  // namespace

Route find_route(const Agent& agent, const SocketName& peer, std::uint64_t ring_size_bytes,
                 std::uint32_t spin_ns) {
    Route route{Reason::ring};
    if (peer.family == AF_VSOCK) {
        route.domain = cid_of(peer);
        // A cid names a domain of this node.
        if (is_remote_domain(route.domain)) route.reason = Reason::no_peer_agent;
    } else {
        const MapHit hit = agent.map.look_up(peer);
        route.reason = reason_of(hit);
        route.entry = hit.entry;
        route.domain = hit.domain;
    }
    if (ring_size_bytes == 0 && route.entry != nullptr) ring_size_bytes = route.entry->ring_size_bytes;
    if (ring_size_bytes == 0) ring_size_bytes = agent.settings.ring_size_bytes;
    if (spin_ns == kUnsetSpinNs && route.entry != nullptr) spin_ns = route.entry->spin_ns;
    if (spin_ns == kUnsetSpinNs) spin_ns = agent.settings.spin_ns;
    route.geometry = {{ring_size_bytes, ring_size_bytes}};
    route.spin_ns = std::min(spin_ns, kMaxSpinNs);
    if (route.reason == Reason::ring && !route.geometry.is_valid()) route.reason = Reason::bad_request;
    return route;
}

SocketName own_name(const Agent& agent, const SocketName& bound, const SocketName& peer,
                    std::uint32_t peer_domain) {
    const SocketName destination = unmapped(peer);
    SocketName name = cleaned(unmapped(bound));
    const std::uint32_t port = name.port;
    if (destination.family == AF_VSOCK) {
        name = {};
        name.family = AF_VSOCK;
        std::memcpy(name.address, &agent.settings.domain, sizeof agent.settings.domain);
    } else if (name.family != destination.family || is_wildcard(name)) {
        name = agent.map.own_address(static_cast<int>(destination.family));
        // As the kernel does where a host talks to itself.
        if (name.family == 0 && peer_domain == agent.settings.domain) name = destination;
        name.family = destination.family;
    }
    name.port = port;
    return name;
}

}  // namespace xylem::agent
