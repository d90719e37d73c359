// XenPeers. Of two guests the one with the lower domid grants the control ring and the other maps it, so that
// there is one ring a pair whoever comes first. An agent writes its node when it begins, without an offer; an
// offer is made to a life of the other agent that shows itself, and bound by that life alone. What an agent
// left behind that died (nodes, rings) is thus never taken for the present one.
//
// The peers to meet are those that the hosts map names. The built-in map names no single one: then the first
// kProbed domains are.
#include "control/agent/xen/xen_peers.hpp"

#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "control/agent/agent.hpp"
#include "control/agent/random_id.hpp"

namespace xylem::agent {
namespace {

constexpr DomainId kProbed = 16;
constexpr std::uint64_t kFirstPauseNs = 100 * kNsPerMs;
constexpr std::uint64_t kLongestPauseNs = 60 * kNsPerSecond;

std::uint64_t cookie_of(int socket) {
    std::uint64_t cookie = 0;
    socklen_t length = sizeof cookie;
    ::getsockopt(socket, SOL_SOCKET, SO_COOKIE, &cookie, &length);
    return cookie;
}

std::set<DomainId> domains_in(const MapTableHeader& table) {
    std::set<DomainId> domains;
    const auto* entries = reinterpret_cast<const MapTableEntry*>(&table + 1);
    for (std::uint32_t i = 0; i < table.entry_count; ++i) {
        if (entries[i].target == static_cast<std::uint32_t>(MapTarget::domain) && entries[i].domain != 0)
            domains.insert(static_cast<DomainId>(entries[i].domain));
        if (entries[i].target != static_cast<std::uint32_t>(MapTarget::domain_low16)) continue;
        for (DomainId id = 1; id <= kProbed; ++id) domains.insert(id);
    }
    return domains;
}

}  // namespace

XenPeers::XenPeers(Agent& agent, std::unique_ptr<XenStore> store) : agent_(agent), store_(std::move(store)) {}

// Emptied, not removed: a node that is no more tells peers that the guest is no more.
XenPeers::~XenPeers() {
    for (const auto& [id, peer] : peers_) store_->show(XenMeeting::own_path(id), "", id);
}

void XenPeers::begin() {
    watch_ = agent_.loop.on_ready(store_->fd(), EPOLLIN, [this](std::uint32_t) { on_store(); });
    for (const DomainId id : domains_in(agent_.map.table())) meet(id);
}

void XenPeers::meet(DomainId id) {
    if (id == store_->own_domain() || id >= kFirstReservedDomain) return;
    const auto [place, is_new] = peers_.try_emplace(id);
    if (!is_new) return;
    place->second.own_life = random_id();
    show(id, place->second);
    const std::string path = XenMeeting::peers_path(store_->own_domain(), id);
    by_path_[path] = id;
    if (!store_->watch(path)) spdlog::warn("XenStore: cannot watch {}: domain {} is not met", path, id);
}

void XenPeers::show(DomainId id, Peer& peer) {
    peer.shown.life = peer.own_life;
    peer.shown.for_life = peer.life;
    if (!store_->show(XenMeeting::own_path(id), peer.shown.text(), id))
        spdlog::warn("XenStore: cannot write {}: domain {} is not met", XenMeeting::own_path(id), id);
}

void XenPeers::on_store() {
    for (const std::string& path : store_->changed()) {
        if (const auto found = by_path_.find(path); found != by_path_.end()) look_at(found->second);
    }
}

void XenPeers::look_at(DomainId id) {
    const std::string path = XenMeeting::peers_path(store_->own_domain(), id);
    const auto text = store_->read(path);
    const bool is_gone = !text && (text.error().sys_errno == ENOENT || text.error().sys_errno == EACCES);
    if (!text && !is_gone)
        return spdlog::warn("XenStore: cannot read {}: {}", path, std::strerror(text.error().sys_errno));
    const auto theirs = text ? XenMeeting::parse(*text) : std::nullopt;
    Peer& peer = peers_[id];
    if (!theirs) {
        if (is_gone) on_gone(id);
        const bool is_over = is_gone || text->empty();
        if (!is_over)
            spdlog::warn("XenStore: domain {} says something else than this version: '{}'", id, *text);
        if (is_over && peer.life != 0) on_over(id);
        return;
    }
    if (offers(id)) return offer_to(id, peer, *theirs);
    bind_to(id, peer, *theirs);
}

void XenPeers::offer_to(DomainId id, Peer& peer, const XenMeeting& theirs) {
    if (theirs.life == peer.life && peer.channel != nullptr) {
        const bool is_bound = theirs.offer_id == peer.shown.offer_id && theirs.offer_id != 0;
        if (is_bound && !peer.is_bound) spdlog::info("met the agent of domain {}", id);
        peer.is_bound = is_bound;
        return;
    }
    peer.life = theirs.life;
    peer.is_bound = false;
    peer.channel.reset();
    auto made = XenChannel::offer(agent_.loop, *this, store_->own_domain(), id);
    peer.shown = {};
    if (made) {
        peer.channel = std::move(*made);
        peer.shown.offer_id = random_id();
        peer.shown.port = peer.channel->port();
        peer.shown.refs = peer.channel->refs();
    } else {
        spdlog::warn("no control ring for domain {}: {}", id, std::strerror(made.error().sys_errno));
    }
    show(id, peer);
}

void XenPeers::bind_to(DomainId id, Peer& peer, const XenMeeting& theirs) {
    const bool is_new_life = theirs.life != peer.life;
    peer.life = theirs.life;
    const bool is_for_us = theirs.offer_id != 0 && theirs.for_life == peer.own_life;
    if (is_for_us && theirs.offer_id != peer.shown.offer_id) {
        peer.channel.reset();
        auto made = XenChannel::bind(agent_.loop, *this, store_->own_domain(), id, theirs.refs, theirs.port);
        peer.shown.offer_id = made ? theirs.offer_id : 0;
        peer.is_bound = made.has_value();
        if (made) peer.channel = std::move(*made);
        if (made) spdlog::info("met the agent of domain {}", id);
        if (!made)
            spdlog::warn("cannot map the control ring of domain {}: {}", id,
                         std::strerror(made.error().sys_errno));
        return show(id, peer);
    }
    if (is_new_life && !is_for_us) {
        peer.channel.reset();
        peer.shown.offer_id = 0;
        show(id, peer);
    }
}

// The guest was destroyed, or its agent never began. Channels to it would stay bound, and swallow kicks.
void XenPeers::on_gone(DomainId id) {
    agent_.kicker_channels.drop_all(id);
    agent_.pool.drop_guest(id);
    agent_.left_behind.on_guest_gone(id);
}

// Begins a new life for that peer, later and later if it goes on like this: it may be hostile.
void XenPeers::on_over(DomainId id) {
    const auto found = peers_.find(id);
    if (found == peers_.end()) return;
    Peer& peer = found->second;
    if (peer.channel != nullptr) spdlog::info("the channel to domain {} is over", id);
    peer.channel.reset();
    peer.life = 0;
    peer.is_bound = false;
    peer.shown = {};
    peer.pause_ns = std::clamp(2 * peer.pause_ns, kFirstPauseNs, kLongestPauseNs);
    peer.begins_anew = agent_.loop.after(peer.pause_ns, [this, id] {
        Peer& again = peers_[id];
        again.own_life = random_id();
        show(id, again);
        look_at(id);
    });
}

std::optional<UniqueFd> XenPeers::dial(std::uint32_t domain) {
    const auto found = peers_.find(static_cast<DomainId>(domain));
    if (found == peers_.end()) {
        meet(static_cast<DomainId>(domain));
        return std::nullopt;
    }
    if (!found->second.is_bound || found->second.channel == nullptr) return std::nullopt;
    Result<UniqueFd> end = found->second.channel->dial();
    return end ? std::optional<UniqueFd>(std::move(*end)) : std::nullopt;
}

void XenPeers::on_dialled(DomainId from, UniqueFd socket) {
    const std::uint64_t cookie = cookie_of(socket.get());
    for (auto it = dialled_.begin(); it != dialled_.end();)
        it = it->second == from ? dialled_.erase(it) : std::next(it);
    dialled_[cookie] = from;
    agent_.links.add_incoming(std::move(socket));
}

bool XenPeers::speaks_for(std::uint32_t domain, int socket) const {
    const auto found = dialled_.find(cookie_of(socket));
    return found != dialled_.end() && found->second == domain;
}

std::vector<GrantRef> XenPeers::refs_of(std::uint64_t connection_id) {
    const SlabPtr slab = agent_.pool.find(connection_id);
    return slab != nullptr ? slab->refs : std::vector<GrantRef>();
}

void XenPeers::on_refs(DomainId from, std::uint64_t connection_id, std::vector<GrantRef> refs) {
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
