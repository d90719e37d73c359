// XenPeers: links over the channels, and the slabs that are offered on them.
#include <sys/socket.h>

#include "control/agent/agent.hpp"
#include "control/agent/xen/xen_peers.hpp"

namespace xylem::agent {
namespace {

std::uint64_t cookie_of(int socket) {
    std::uint64_t cookie = 0;
    socklen_t length = sizeof cookie;
    ::getsockopt(socket, SOL_SOCKET, SO_COOKIE, &cookie, &length);
    return cookie;
}

}  // namespace

// Programs may dial one domain after the other: nothing is done for those that do not exist.
std::optional<UniqueFd> XenPeers::dial(std::uint32_t domain, Reason& why_not) {
    if (domain >= kFirstReservedDomain) return std::nullopt;
    const auto id = static_cast<DomainId>(domain);
    const auto found = peers_.find(id);
    if (found == peers_.end()) {
        if (!is_known(id)) return std::nullopt;
        if (make_room()) {
            meet(id);
        } else {
            why_not = Reason::quota_reached;
        }
        return std::nullopt;
    }
    if (found->second.is_over_quota) why_not = Reason::quota_reached;
    if (!found->second.is_bound || found->second.channel == nullptr) return std::nullopt;
    Result<UniqueFd> end = found->second.channel->dial();
    return end ? std::optional<UniqueFd>(std::move(*end)) : std::nullopt;
}

void XenPeers::look_for(std::uint32_t domain) {
    const auto id = static_cast<DomainId>(domain);
    if (domain >= kFirstReservedDomain || !is_known(id)) return agent_.left_behind.on_guest_gone(domain);
    const auto found = peers_.find(id);
    if (found != peers_.end() && found->second.life == 0) look_soon(id);
    if (found == peers_.end() && make_room()) meet(id);  // a watch begins with a look
}

void XenPeers::on_dialled(DomainId from, UniqueFd socket) {
    const std::uint64_t cookie = cookie_of(socket.get());
    for (auto it = dialled_.begin(); it != dialled_.end();)
        it = it->second == from ? dialled_.erase(it) : std::next(it);
    dialled_[cookie] = from;
    agent_.links.add_incoming(std::move(socket), pace_of(from));
}

std::shared_ptr<Pace> XenPeers::pace_of(std::uint32_t domain) const {
    const auto found = peers_.find(static_cast<DomainId>(domain));
    return found != peers_.end() ? found->second.pace : nullptr;
}

bool XenPeers::speaks_for(std::uint32_t domain, int socket) const {
    const auto found = dialled_.find(cookie_of(socket));
    return found != dialled_.end() && found->second == domain;
}

std::vector<GrantRef> XenPeers::refs_of(std::uint64_t connection_id) {
    const SlabPtr slab = agent_.pool.find(connection_id);
    if (slab != nullptr) slab->is_known_to_peer = true;
    return slab != nullptr ? slab->refs : std::vector<GrantRef>();
}

void XenPeers::on_refs(DomainId from, std::uint64_t connection_id, std::vector<GrantRef> refs) {
    if (refs.empty()) return;  // a question whether there would be a ring
    Peer& peer = peers_[from];
    const bool is_too_much =
        peer.offered.size() >= kMostOffers || peer.offered_refs + refs.size() > kMostOfferedRefs;
    if (is_too_much || peer.offered.count(connection_id) != 0) {
        peer.offered.clear();
        peer.offered_refs = 0;
    }
    peer.offered_refs += refs.size();
    peer.offered[connection_id] = std::move(refs);
}

std::vector<GrantRef> XenPeers::take_refs(std::uint32_t domain, std::uint64_t connection_id) {
    const auto peer = peers_.find(static_cast<DomainId>(domain));
    if (peer == peers_.end()) return {};
    const auto found = peer->second.offered.find(connection_id);
    if (found == peer->second.offered.end()) return {};
    std::vector<GrantRef> refs = std::move(found->second);
    peer->second.offered.erase(found);
    peer->second.offered_refs -= refs.size();
    return refs;
}

}  // namespace xylem::agent
