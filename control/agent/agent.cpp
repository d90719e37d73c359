// Agent: the parts, in the order in which they need each other.
#include "control/agent/agent.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/agent/end_keeping.hpp"
#include "control/agent/names.hpp"
#include "control/agent/random_id.hpp"
#include "control/agent/xen/xen_peers.hpp"
#include "control/protocol/link_owner.hpp"

namespace xylem::agent {

Agent::Agent(EventLoop& event_loop, const Settings& given)
    : loop(event_loop),
      settings(given),
      boot_id(random_id()),
      started_ns(now_ns()),
      memory(given.max_memory_bytes),
      memory_shares(memory),
      session_quota(given.max_sessions),
      grants(given.max_grants),
      grant_shares(grants),
      mapped(given.max_mapped),
      mapped_shares(mapped),
      channels(given.max_channels),
      channel_shares(channels),
      map(event_loop, counters, given.domain),
      policy(event_loop, counters),
      pool(memory_shares, grant_shares, now_ns, given.max_ends),
      ends(given.max_ends, given.max_ends_per_peer),
      waiter_channels(channel_shares),
      kicker_channels(channel_shares),
      bells(given.max_bells),
      listeners(given.max_listeners),
      vsock_ports(given.max_listeners + given.max_ends),
      sessions(*this),
      captures(*this),
      orphans(*this),
      links(*this),
      far_bells(*this),
      relayed_bells(*this),
      lost_in_acceptance(*this),
      left_behind(*this),
      next_connection_id_(random_id()) {
    links.is_owner = [this](std::uint32_t claimed, int socket) {
        return (xen != nullptr && xen->speaks_for(claimed, socket)) ||
               owns_link_socket(link_socket(claimed).text, socket);
    };
    policy.on_change = [this] { revoke_keeping(*this); };
    map.on_change = [this] {
        revoke_keeping(*this);
        if (xen != nullptr) xen->on_map_change();
    };
}

Agent::~Agent() = default;

bool Agent::reaches_by_grants(std::uint32_t domain) const {
    return xen != nullptr && domain != settings.domain && !is_remote_domain(domain) &&
           ::access(link_socket(domain).text, F_OK) != 0;
}

bool Agent::offers_to_others(const Listener& listener) const {
    if (is_wildcard(listener.match)) return true;
    if (listener.match.family == AF_VSOCK) return cid_of(listener.match) == settings.domain;
    return map.domain_of(listener.match) == settings.domain;
}

void Agent::ring(std::uint32_t domain, WaitToken token) {
    if (domain != settings.domain) return far_bells.ring(domain, token);
    const Bell* bell = bells.find(token.doorbell_id());
    if (bell == nullptr) return;
    UniqueFd kick(::fcntl(bell->kick.get(), F_DUPFD_CLOEXEC, 0));
    Doorbell doorbell;
    if (!kick || !install(doorbell, bell->kind, std::move(kick), bell->area)) return;
    if (doorbell.ring(token)) ++counters.kicks_sent;
}

void Agent::free_bell(std::uint32_t id) {
    Bell* bell = bells.find(id);
    if (bell == nullptr) return;
    if (bell->channel) {
        auto gone = make_message<LinkBellGoneMessage>(kLinkMagic, LinkMessage::bell_gone, 0);
        gone.doorbell_id = id;
        if (bell->channel->is_told) links.tell(bell->peer_domain, gone);
        waiter_channels.take_back(static_cast<DomainId>(bell->peer_domain), std::move(*bell->channel));
    }
    bells.erase(id);
}

}  // namespace xylem::agent
