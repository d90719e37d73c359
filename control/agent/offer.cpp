// Offers. Checked in the order in which a kernel with a packet filter would: policy, listener, queue; then
// what the ring needs: quotas, a source name, the slab. Nothing is kept of an offer that is refused. Pages of
// another guest are looked at last, since that is work, and only as many as this guest can have mapped.
#include "control/agent/offer.hpp"

#include <sys/socket.h>

#include <cstring>

#include "control/agent/agent.hpp"
#include "control/agent/end_making.hpp"
#include "control/agent/names.hpp"
#include "control/agent/queueing.hpp"
#include "control/agent/xen/xen_peers.hpp"
#include "vsock-transport/local/memory_check.hpp"
#include "vsock-transport/local/side_lock.hpp"

namespace xylem::agent {
namespace {

std::uint32_t spin_for(const Agent& agent, const SocketName& peer) {
    const MapHit hit = agent.map.look_up(peer);
    const bool says = hit.mapped && hit.entry->spin_ns != kUnsetSpinNs;
    return says ? hit.entry->spin_ns : agent.settings.spin_ns;
}

EndIdentity accepting_identity(const Agent& agent, const Offer& offer, const Listener& listener,
                               const SocketName& source) {
    EndIdentity identity{};
    identity.connection_id = offer.connection_id;
    identity.side = 1;
    identity.geometry = offer.geometry;
    identity.own_domain = agent.settings.domain;
    identity.peer_domain = offer.from_domain;
    identity.local = listener.speaks_mapped() ? as_ipv4_mapped(offer.destination) : offer.destination;
    identity.peer = listener.speaks_mapped() ? as_ipv4_mapped(source) : source;
    identity.spin_ns = spin_for(agent, source);
    return identity;
}

Reason counted(Agent& agent, Reason reason) {
    if (reason != Reason::ring) ++agent.counters.refused[index_of(reason)];
    return reason;
}

// What came with the message; null if it is unsound. Our side of it is locked before they hear that the end
// is there.
SlabPtr sent_slab(const LinkConnectMessage& message, UniqueFd fd) {
    if (!fd || !is_sound_memory(fd.get(), message.slab_bytes, Access::read_write)) return nullptr;
    lock_side(fd.get(), message.connection_id, 1);
    auto slab = std::make_shared<Slab>();
    slab->fd = std::move(fd);
    slab->size_bytes = message.slab_bytes;
    return slab;
}

// Of another guest's pages. Whether they are granted shows when they are mapped: once, to see it now.
SlabPtr granted_slab(Agent& agent, std::uint32_t domain, const LinkConnectMessage& message,
                     std::vector<GrantRef> refs, Reason& why) {
    why = Reason::bad_request;
    if (refs.size() != message.slab_bytes / kPageBytes) return nullptr;
    auto pages = agent.mapped_shares.take(domain, refs.size());
    why = Reason::quota_reached;
    if (!pages) return nullptr;
    auto slab = std::make_shared<Slab>();
    slab->grants = std::move(*pages);
    slab->refs = std::move(refs);
    slab->size_bytes = message.slab_bytes;
    slab->granted_by = static_cast<DomainId>(domain);
    why = Reason::bad_request;
    return slab->map() ? slab : nullptr;
}

PolicySource source_of(std::uint32_t domain) {
    if (!is_remote_domain(domain)) return domain;
    return {domain_on_node(domain), numbered_node(node_number_of(domain)).text};
}

Reason try_offer(Agent& agent, const Offer& offer, SlabPtr slab) {
    if (!agent.policy.allows(source_of(offer.from_domain), offer.destination.port))
        return Reason::refused_by_policy;
    Listener* listener = nullptr;
    const auto offered = [&](const Listener& at) {
        return offer.from_domain == agent.settings.domain || agent.offers_to_others(at);
    };
    const Reason chosen = agent.listeners.choose(offer.destination, offered, listener);
    if (chosen != Reason::ring) return chosen;
    if (!agent.ends.has_room(offer.from_domain)) return Reason::quota_reached;
    const std::optional<SocketName> source = source_name(agent, offer.from_domain, offer.source);
    if (!source) return Reason::no_source_address;
    if (offer.is_dry_run) return Reason::ring;
    Reason why{};
    const EndIdentity identity = accepting_identity(agent, offer, *listener, *source);
    End* end = make_end(agent, identity, offer.from_domain, std::move(slab), 0, why);
    if (end == nullptr) return why;
    if (!enqueue(agent, *listener, *end)) {
        agent.ends.take(end->id());
        return Reason::backlog_full;
    }
    agent.listeners.had_turn(*listener);
    ++agent.counters.connects_incoming;
    return Reason::ring;
}

// A cid names a domain of this node. Both names are written as the listener's family has them: what the
// caller may choose in one family, as a port of 32 bits, must not become what it may not in the other, an
// address.
bool may_name(std::uint32_t domain, const SocketName& source, const SocketName& destination) {
    if (!is_known_family(source) || unmapped(source).family != destination.family) return false;
    return destination.family != AF_VSOCK || !is_remote_domain(domain);
}

Reason would_take(Agent& agent, Offer offer) {
    offer.is_dry_run = true;
    return try_offer(agent, offer, nullptr);
}

}  // namespace

std::optional<SocketName> source_name(const Agent& agent, std::uint32_t domain, const SocketName& claimed) {
    SocketName name = cleaned(unmapped(claimed));
    if (name.family == AF_VSOCK) {
        std::memcpy(name.address, &domain, sizeof domain);
        return name;
    }
    if (agent.map.domain_of(name) == domain) return name;
    SocketName known = agent.map.address_of(domain, static_cast<int>(name.family));
    known.port = name.port;
    if (known.family != 0) return known;
    if (domain == agent.settings.domain) return name;
    return std::nullopt;
}

Reason offer_connection(Agent& agent, const Offer& offer, SlabPtr slab) {
    return counted(agent, try_offer(agent, offer, std::move(slab)));
}

Reason offer_from_link(Agent& agent, std::uint32_t domain, const LinkConnectMessage& message,
                       UniqueFd slab_fd) {
    const bool is_guest = agent.reaches_by_grants(domain);
    std::vector<GrantRef> refs;  // taken in any case: nothing is kept of them
    if (is_guest) refs = agent.xen->take_refs(domain, message.connection_id);
    Offer offer{};
    offer.from_domain = domain;
    offer.connection_id = message.connection_id;
    offer.source = message.source;
    offer.destination = cleaned(unmapped(message.destination));
    offer.geometry = {{message.ring_size_bytes[0], message.ring_size_bytes[1]}};
    offer.is_dry_run = (message.flags & kConnectDryRun) != 0;
    if (!may_name(domain, offer.source, offer.destination)) return counted(agent, Reason::bad_request);
    if (offer.is_dry_run) return offer_connection(agent, offer, nullptr);
    if (!offer.geometry.is_valid() || message.slab_bytes != offer.geometry.slab_bytes()) {
        return counted(agent, Reason::bad_request);
    }
    Reason why = would_take(agent, offer);  // before anything is done with what came along
    if (why != Reason::ring) return counted(agent, why);
    why = Reason::bad_request;
    SlabPtr slab = is_guest ? granted_slab(agent, domain, message, std::move(refs), why)
                            : sent_slab(message, std::move(slab_fd));
    if (slab == nullptr) return counted(agent, why);
    auto memory = agent.memory_shares.take(domain, message.slab_bytes);
    if (!memory) return counted(agent, Reason::quota_reached);
    slab->memory = std::move(*memory);
    return offer_connection(agent, offer, std::move(slab));
}

}  // namespace xylem::agent
