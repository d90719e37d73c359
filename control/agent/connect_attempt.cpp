// Connecting: the map says which domain, the pool gives a slab, its agent (or our own, without a socket)
// decides. An answer that does not come leaves open whether the far end exists; whoever waits for the
// decision must then spoil the slab (end_closing.hpp abandon()).
#include "control/agent/connect_attempt.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include "control/agent/agent.hpp"
#include "control/agent/names.hpp"
#include "control/agent/offer.hpp"
#include "control/agent/route.hpp"
#include "control/agent/xen/grant_share.hpp"
#include "vsock-transport/local/side_lock.hpp"

namespace xylem::agent {
namespace {

// What a kernel's socket buffers at least, as programs are used to.
constexpr std::uint64_t kSmallRingBytes = 64 << 10;

Reason take_slab(Agent& agent, ConnectAttempt& attempt) {
    EndIdentity& identity = attempt.identity;
    const bool is_granted = agent.reaches_by_grants(identity.peer_domain);
    const std::uint64_t wanted_bytes = identity.geometry.ring_size_bytes[0];
    if (is_granted) identity.geometry = fit_to_grants(identity.geometry, agent.grants);
    const std::uint64_t given_bytes = identity.geometry.ring_size_bytes[0];
    attempt.is_small = given_bytes < wanted_bytes && given_bytes < kSmallRingBytes;
    auto slab = agent.pool.take(identity.connection_id, identity.peer_domain, identity.geometry.slab_bytes(),
                                is_granted);
    if (!slab) {
        return slab.error().kind == ErrorKind::exhausted ? Reason::quota_reached : Reason::no_memory;
    }
    auto header = (*slab)->map(kPageBytes);
    if (!header) {
        agent.pool.forget(identity.connection_id);
        return Reason::no_memory;
    }
    initialise_slab(*header, identity.geometry);
    attempt.slab = std::move(*slab);
    return Reason::ring;
}

EndIdentity connecting_identity(Agent& agent, const ConnectMessage& ask, const Route& route,
                                const SocketName& own) {
    EndIdentity identity{};
    identity.connection_id = agent.next_connection_id();
    identity.side = 0;
    identity.geometry = route.geometry;
    identity.own_domain = agent.settings.domain;
    identity.peer_domain = route.domain;
    identity.peer = cleaned(ask.peer);
    // A program that asked for ::ffff:a.b.c.d calls itself so, too.
    const bool asked_mapped = unmapped(ask.peer).family != ask.peer.family;
    identity.local = asked_mapped ? as_ipv4_mapped(own) : own;
    identity.spin_ns = route.spin_ns;
    return identity;
}

// Our side is locked before they can look.
UniqueFd slab_for_far_side(const ConnectAttempt& attempt) {
    if (attempt.slab == nullptr || attempt.slab->is_granted()) return UniqueFd();
    const EndIdentity& identity = attempt.identity;
    lock_side(attempt.slab->fd.get(), identity.connection_id, identity.side);
    UniqueFd theirs = reopened_slab(attempt.slab->fd.get());
    return theirs ? std::move(theirs) : UniqueFd(::fcntl(attempt.slab->fd.get(), F_DUPFD_CLOEXEC, 0));
}

LinkConnectMessage message_for(const ConnectAttempt& attempt) {
    auto message = make_message<LinkConnectMessage>(kLinkMagic, LinkMessage::connect, 0);
    message.connection_id = attempt.identity.connection_id;
    message.source = attempt.source;
    message.destination = attempt.destination;
    message.ring_size_bytes[0] = attempt.identity.geometry.ring_size_bytes[0];
    message.ring_size_bytes[1] = attempt.identity.geometry.ring_size_bytes[1];
    message.slab_bytes = attempt.slab != nullptr ? attempt.slab->size_bytes : 0;
    message.flags = attempt.slab != nullptr ? 0U : static_cast<std::uint32_t>(kConnectDryRun);
    message.spin_ns = attempt.identity.spin_ns;
    return message;
}

}  // namespace

Reason prepare(Agent& agent, const ConnectMessage& ask, ConnectAttempt& attempt) {
    if (!is_known_family(ask.peer) || !names_port(ask.peer)) return Reason::bad_request;
    const Route route = find_route(agent, ask.peer, ask.ring_size_bytes, ask.spin_ns);
    if (route.reason != Reason::ring) return route.reason;
    if (!agent.ends.has_room(route.domain)) return Reason::quota_reached;
    attempt.source = own_name(agent, ask.local, ask.peer, route.domain);
    attempt.destination = cleaned(unmapped(ask.peer));
    attempt.identity = connecting_identity(agent, ask, route, attempt.source);
    return (ask.flags & kConnectDryRun) != 0 ? Reason::ring : take_slab(agent, attempt);
}

void ask_accepting_side(Agent& agent, const ConnectAttempt& attempt, Decided decided) {
    const EndIdentity& identity = attempt.identity;
    if (identity.peer_domain == agent.settings.domain) {
        const Offer offer{identity.peer_domain, identity.connection_id, attempt.source,
                          attempt.destination,  identity.geometry,      attempt.slab == nullptr};
        return decided(offer_connection(agent, offer, attempt.slab), true);
    }
    const UniqueFd theirs = slab_for_far_side(attempt);
    std::vector<int> fds;
    if (theirs) fds.push_back(theirs.get());
    agent.links.ask(
        identity.peer_domain, message_for(attempt), fds,
        [id = identity.connection_id, decided = std::move(decided)](Reason failure, Received* answer) {
            if (answer == nullptr) return decided(failure, false);
            const auto* connected = answer->as<LinkConnectedMessage>();
            if (connected == nullptr || connected->connection_id != id) {
                return decided(Reason::bad_request, false);
            }
            const auto reason = static_cast<Reason>(connected->reason);
            const bool is_reason = connected->reason != 0 && connected->reason < kReasonCount;
            decided(is_reason ? reason : Reason::bad_request, true);
        });
}

}  // namespace xylem::agent
