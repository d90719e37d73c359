// XenPeers. Of two guests the one with the lower domid grants the control ring and the other maps it, so that
// there is one ring a pair whoever comes first. An agent writes its node when it begins, without an offer; an
// offer is made to a life of the other agent that shows itself, and bound by that life alone. What an agent
// left behind that died (nodes, rings) is thus never taken for the present one.
//
// The peers to meet are those that the hosts map names. The built-in map names no single one: then the first
// kProbed domains are.
//
// What a hostile peer can do here is to begin one life after the other, with nodes and offers that make no
// sense. Looking at them is charged to it as what it sends is (xen_channel.cpp), and then waits. A ring that
// it was granted may stay mapped there for ever, so a few are granted to a peer, and used in turn, until Xen
// knows no such domain (xen_peer_leaving.cpp).
//
// What fails may do so for the moment only, so it is tried again, later and later.
#include "control/agent/xen/xen_peers.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstring>

#include "control/agent/agent.hpp"
#include "control/agent/random_id.hpp"

namespace xylem::agent {
namespace {

constexpr DomainId kProbed = 16;

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

// One node or watch too many, or too much in one.
bool is_quota(int error) { return error == E2BIG || error == ENOSPC || error == EDQUOT; }

}  // namespace

XenPeers::XenPeers(Agent& agent, std::unique_ptr<XenStore> store) : agent_(agent), store_(std::move(store)) {}

// Emptied, not removed: a node that is no more tells peers that the guest is no more.
XenPeers::~XenPeers() {
    for (const auto& [id, peer] : peers_) store_->show(XenMeeting::own_path(id), "", id);
}

void XenPeers::begin() {
    watch_ = agent_.loop.on_ready(store_->fd(), EPOLLIN, [this](std::uint32_t) { on_store(); });
    show_own_name();
    on_map_change();
}

void XenPeers::meet_all() {
    in_map_ = domains_in(agent_.map.table());
    for (const DomainId id : in_map_) meet(id);
    forget_unnamed();
}

void XenPeers::meet(DomainId id) {
    if (id == store_->own_domain() || id >= kFirstReservedDomain) return;
    const auto [place, is_new] = peers_.try_emplace(id);
    if (!is_new) return;
    place->second.own_life = random_id();
    by_path_[XenMeeting::peers_path(store_->own_domain(), id)] = id;
    show(id, place->second);
}

void XenPeers::show(DomainId id, Peer& peer) {
    peer.shown.life = peer.own_life;
    peer.shown.for_life = peer.life;
    if (!peer.is_watched) peer.is_watched = store_->watch(XenMeeting::peers_path(store_->own_domain(), id));
    const int watch_error = peer.is_watched ? 0 : store_->why_refused();
    peer.is_shown = store_->show(XenMeeting::own_path(id), peer.shown.text(), id);
    const int error = peer.is_shown ? watch_error : store_->why_refused();
    peer.is_over_quota = is_quota(error);
    if (peer.is_watched && peer.is_shown) return;
    if (agent_.peer_log.may(id))
        spdlog::warn("XenStore: cannot {} a node ({}{}): domain {} is not met yet",
                     peer.is_shown ? "watch" : "write", peer.is_over_quota ? "quota of XenStore: " : "",
                     std::strerror(error), id);
    begin_anew(id, peer);
}

void XenPeers::on_store() {
    for (const std::string& path : store_->changed()) {
        if (const auto found = by_path_.find(path); found != by_path_.end()) look_soon(found->second);
        const auto place = directory_is_open_ ? GuestDirectory::place_of(path) : std::nullopt;
        if (place) named_.insert({place->source, place->domain});
    }
    if (!named_.empty()) look_up_named();
}

// XenStore is asked by calls that wait for it: that time counts, not the processor's.
void XenPeers::look_soon(DomainId id) {
    Peer& peer = peers_[id];
    const std::shared_ptr<Pace> pace = peer.pace;  // the peer may be forgotten
    const std::uint64_t start_ns = now_ns();
    if (const std::uint64_t rest_ns = pace->rest_ns(start_ns)) {
        if (!peer.looks_again)
            peer.looks_again = agent_.loop.after(rest_ns, [this, id] {
                peers_[id].looks_again = Watch();
                look_soon(id);
            });
        return;
    }
    look_at(id);
    const std::uint64_t end_ns = now_ns();
    pace->charge(end_ns, end_ns - start_ns);
}

void XenPeers::look_at(DomainId id) {
    const std::string path = XenMeeting::peers_path(store_->own_domain(), id);
    const auto text = store_->read(path);
    const bool is_gone = !text && (text.error().sys_errno == ENOENT || text.error().sys_errno == EACCES);
    Peer& peer = peers_[id];
    if (!text && !is_gone) {
        if (agent_.peer_log.may(id))
            spdlog::warn("XenStore: cannot read {}: {}", path, std::strerror(text.error().sys_errno));
        return begin_anew(id, peer);
    }
    const auto theirs = text ? XenMeeting::parse(*text) : std::nullopt;
    if (!theirs) {
        const bool is_over = is_gone || text->empty();
        if (!is_over && agent_.peer_log.may(id))
            spdlog::warn("XenStore: domain {} says something else than this version", id);
        if (is_over && peer.life != 0) {
            peer.pause_ns = 0;  // in order
            on_over(id);
        }
        if (is_gone) on_gone(id);
        return;
    }
    peer.looks_for_domain = Watch();
    if (offers(id)) return offer_to(id, peer, *theirs);
    bind_to(id, peer, *theirs);
}

void XenPeers::offer_to(DomainId id, Peer& peer, const XenMeeting& theirs) {
    if (theirs.life == peer.life && peer.channel != nullptr) {
        const bool is_bound = theirs.offer_id == peer.shown.offer_id && theirs.offer_id != 0;
        if (is_bound && !peer.is_bound && agent_.peer_log.may(id))
            spdlog::info("met the agent of domain {}", id);
        peer.is_bound = is_bound;
        return;
    }
    peer.life = theirs.life;
    peer.is_bound = false;
    drop_channel(peer);
    auto pages = pages_for(id, peer);
    auto made = pages ? XenChannel::offer(setting_for(id, peer), *pages) : fail(pages.error());
    if (pages && !pages->refs.empty()) peer.past.push_front(std::move(*pages));  // not taken
    peer.shown = {};
    if (made) {
        peer.channel = std::move(*made);
        peer.made_ns = now_ns();
        peer.shown.offer_id = random_id();
        peer.shown.port = peer.channel->port();
        peer.shown.refs = peer.channel->refs();
    } else {
        if (agent_.peer_log.may(id))
            spdlog::warn("no control ring for domain {}: {}", id, std::strerror(made.error().sys_errno));
        begin_anew(id, peer);
    }
    show(id, peer);
}

void XenPeers::bind_to(DomainId id, Peer& peer, const XenMeeting& theirs) {
    const bool is_new_life = theirs.life != peer.life;
    peer.life = theirs.life;
    const bool is_for_us = theirs.offer_id != 0 && theirs.for_life == peer.own_life;
    if (is_for_us && theirs.offer_id != peer.shown.offer_id) {
        drop_channel(peer);
        auto made = XenChannel::bind(setting_for(id, peer), theirs.refs, theirs.port);
        peer.shown.offer_id = made ? theirs.offer_id : 0;
        peer.is_bound = made.has_value();
        peer.made_ns = now_ns();
        if (made) peer.channel = std::move(*made);
        const bool may_say = agent_.peer_log.may(id);
        if (made && may_say) spdlog::info("met the agent of domain {}", id);
        if (!made && may_say)
            spdlog::warn("cannot map the control ring of domain {}: {}", id,
                         std::strerror(made.error().sys_errno));
        if (!made) begin_anew(id, peer);
        return show(id, peer);
    }
    if (is_new_life && !is_for_us) {
        drop_channel(peer);
        peer.shown.offer_id = 0;
        show(id, peer);
    }
}

XenChannel::Setting XenPeers::setting_for(DomainId id, const Peer& peer) {
    return {agent_.loop, *this, store_->own_domain(), id, peer.pace};
}

void XenPeers::drop_channel(Peer& peer) {
    if (peer.channel == nullptr) return;
    ControlPages pages = peer.channel->take_pages();
    if (!pages.refs.empty()) peer.past.push_back(std::move(pages));
    peer.channel.reset();
}

// Not those of the last channel, which an honest peer may still be about to leave.
Result<ControlPages> XenPeers::pages_for(DomainId id, Peer& peer) {
    if (peer.past.size() < kMostPast) return XenChannel::grant(id);
    ControlPages oldest = std::move(peer.past.front());
    peer.past.pop_front();
    return oldest;
}

void XenPeers::on_over(DomainId id) {
    const auto found = peers_.find(id);
    if (found == peers_.end()) return;
    Peer& peer = found->second;
    if (peer.channel != nullptr && agent_.peer_log.may(id))
        spdlog::info("the channel to domain {} is over", id);
    if (peer.channel != nullptr && now_ns() - peer.made_ns > kLongestPauseNs) peer.pause_ns = 0;
    drop_channel(peer);
    peer.life = 0;
    peer.is_bound = false;
    peer.shown = {};
    begin_anew(id, peer);
}

void XenPeers::begin_anew(DomainId id, Peer& peer) {
    peer.pause_ns = std::clamp(2 * peer.pause_ns, kFirstPauseNs, kLongestPauseNs);
    peer.begins_anew = agent_.loop.after(peer.pause_ns, [this, id] {
        Peer& again = peers_[id];
        const bool is_met = again.channel != nullptr;
        if (!is_met) again.own_life = random_id();
        if (!is_met || !again.is_shown || !again.is_watched) show(id, again);
        look_soon(id);
    });
}

}  // namespace xylem::agent
