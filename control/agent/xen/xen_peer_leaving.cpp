// XenPeers: guests that leave. A node that is no more says that a guest was destroyed, or that it removed the
// node itself and goes on; XenStore tells no guest which. Xen does: as long as it knows the domain, the
// domain may have mapped what it was granted, which nobody else can see, so all of that stays charged to it.
// It is asked again, later and later, for a guest loses its nodes before it is destroyed.
//
// What is remembered of a domain that Xen knows is bounded: its share of grants and flag pages, and a few
// control rings. Of one that Xen does not know nothing is kept, unless the map names it.
#include <algorithm>
#include <vector>

#include "control/agent/agent.hpp"
#include "control/agent/xen/xen_peers.hpp"

namespace xylem::agent {

// Channels to it would stay bound, and swallow kicks.
void XenPeers::on_gone(DomainId id) {
    peers_[id].looked_pause_ns = 0;
    if (directory_.set(id, GuestDirectory::Source::guest, std::nullopt)) agent_.map.names_changed();
    agent_.kicker_channels.drop_all(id);
    agent_.left_behind.on_guest_gone(id);
    look_for_domain(id);
}

void XenPeers::look_for_domain(DomainId id) {
    const auto found = peers_.find(id);
    if (found == peers_.end()) return;  // another map was enough to forget it
    Peer& peer = found->second;
    peer.looks_for_domain = Watch();
    if (is_known(id)) {
        if (is_named(id) && !has_ours(id, peer)) return;
        peer.looked_pause_ns = std::clamp(2 * peer.looked_pause_ns, kFirstPauseNs, kLongestPauseNs);
        peer.looks_for_domain = agent_.loop.after(peer.looked_pause_ns, [this, id] { look_for_domain(id); });
        return;
    }
    agent_.waiter_channels.drop_guest(id);
    agent_.pool.drop_guest(id);
    peer.past.clear();
    if (!is_named(id)) forget(id);
}

bool XenPeers::has_ours(DomainId id, const Peer& peer) const {
    return peer.channel != nullptr || !peer.past.empty() || agent_.grant_shares.of(id) != 0 ||
           agent_.waiter_channels.pages_of(id) != 0 || agent_.mapped_shares.of(id) != 0;
}

void XenPeers::forget(DomainId id) {
    const std::string path = XenMeeting::peers_path(store_->own_domain(), id);
    store_->unwatch(path);
    store_->remove(XenMeeting::own_path(id));
    by_path_.erase(path);
    std::erase_if(dialled_, [id](const auto& item) { return item.second == id; });
    peers_.erase(id);
}

// Of guests that the map named, and that are gone.
void XenPeers::forget_unnamed() {
    std::vector<DomainId> unnamed;
    for (const auto& [id, peer] : peers_) {
        if (!is_named(id) && peer.life == 0) unnamed.push_back(id);
    }
    for (const DomainId id : unnamed) look_for_domain(id);
}

// One that shows no agent makes room for the next.
bool XenPeers::make_room() {
    std::size_t count = 0;
    std::optional<DomainId> silent;
    for (const auto& [id, peer] : peers_) {
        if (is_named(id)) continue;
        ++count;
        if (peer.life == 0 && !has_ours(id, peer)) silent = id;
    }
    if (count < kMostUnnamed) return true;
    if (silent) forget(*silent);
    return silent.has_value();
}

}  // namespace xylem::agent
