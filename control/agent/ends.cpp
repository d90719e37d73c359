// Ends: the table. What happens to an end is end_making.cpp and end_closing.cpp.
#include "control/agent/ends.hpp"

#include "control/agent/random_id.hpp"

namespace xylem::agent {

ConnectionKey key_of(const End& end) {
    return {end.connecting_domain, end.identity.connection_id, end.identity.side};
}

// Ids start at a random place: those of the agent before a restart stay valid in the programs.
Ends::Ends(std::uint64_t limit, std::uint64_t limit_per_peer)
    : quota_(limit), limit_per_peer_(limit_per_peer), next_id_(random_id() >> 16 | 1) {}

bool Ends::has_room(std::uint32_t peer_domain) const {
    const auto found = per_peer_.find(peer_domain);
    return quota_.has_room() && (found == per_peer_.end() ? 0 : found->second) < limit_per_peer_;
}

End* Ends::add(std::unique_ptr<End> end) {
    End* added = end.get();
    if (!has_room(added->identity.peer_domain)) return nullptr;
    if (by_id_.count(added->id()) != 0 || by_connection_.count(key_of(*added)) != 0) return nullptr;
    added->quota = *quota_.take();
    ++per_peer_[added->identity.peer_domain];
    by_connection_.emplace(key_of(*added), added->id());
    by_id_.emplace(added->id(), std::move(end));
    if (added->cookie != 0) by_cookie_[added->cookie] = added->id();
    return added;
}

End* Ends::find(EndId id) {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second.get();
}

End* Ends::find(const ConnectionKey& key) {
    const auto found = by_connection_.find(key);
    return found == by_connection_.end() ? nullptr : find(found->second);
}

End* Ends::find_cookie(std::uint64_t cookie) {
    const auto found = by_cookie_.find(cookie);
    return found == by_cookie_.end() ? nullptr : find(found->second);
}

void Ends::name_cookie(End& end, std::uint64_t cookie) {
    const auto found = by_cookie_.find(end.cookie);
    if (found != by_cookie_.end() && found->second == end.id()) by_cookie_.erase(found);
    end.cookie = cookie;
    if (cookie != 0) by_cookie_[cookie] = end.id();
}

std::unique_ptr<End> Ends::take(EndId id) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) return nullptr;
    std::unique_ptr<End> end = std::move(found->second);
    by_id_.erase(found);
    by_connection_.erase(key_of(*end));
    name_cookie(*end, 0);
    const auto peer = per_peer_.find(end->identity.peer_domain);
    if (--peer->second == 0) per_peer_.erase(peer);
    return end;
}

}  // namespace xylem::agent
