// SlabPool: why reuse at all: a fresh memfd costs three system calls and a descriptor table slot, a pooled
// one a hole punch or two. A slab is scrubbed when it comes in, so that idle ones hold no memory, and when it
// goes out, so that nothing that was written meanwhile is left.
#include "control/agent/slab_pool.hpp"

#include <algorithm>
#include <utility>

#include "vsock-transport/ring/slab_layout.h"

namespace xylem::agent {

Result<SlabPtr> SlabPool::take(std::uint64_t connection_id, std::uint32_t peer_domain,
                               std::uint64_t size_bytes, bool is_granted) {
    auto lease = memory_.take(peer_domain, size_bytes);
    if (!lease) return fail(ErrorKind::exhausted);
    SlabPtr slab = from_shelf(peer_domain, size_bytes, is_granted);
    if (slab == nullptr) {
        Result<SlabPtr> made = make(peer_domain, size_bytes, is_granted);
        if (!made) return fail(made.error());
        slab = std::move(*made);
        ++misses_;
    } else {
        ++hits_;
    }
    slab->memory = std::move(*lease);
    lent_.insert_or_assign(connection_id, Lent{slab, peer_domain, 0});
    return slab;
}

// Idle slabs of other sizes and peers give way to one that is needed.
Result<SlabPtr> SlabPool::make(std::uint32_t peer_domain, std::uint64_t size_bytes, bool is_granted) {
    if (!is_granted) return make_memfd_slab(size_bytes);
    auto lease = grants_.take(peer_domain, size_bytes / kPageBytes);
    if (!lease) {
        drop_idle_grants();
        lease = grants_.take(peer_domain, size_bytes / kPageBytes);
    }
    if (!lease) return fail(ErrorKind::exhausted);
    Result<SlabPtr> made = make_granted_slab(static_cast<DomainId>(peer_domain), size_bytes);
    if (made) (*made)->grants = std::move(*lease);
    return made;
}

void SlabPool::drop_idle_grants() {
    for (auto& [peer, shelf] : shelves_) drop_granted(shelf);
    std::erase_if(shelves_, [](const auto& item) { return item.second.empty(); });
}

SlabPtr SlabPool::find(std::uint64_t connection_id) const {
    const auto found = lent_.find(connection_id);
    return found == lent_.end() ? nullptr : found->second.slab;
}

SlabPtr SlabPool::from_shelf(std::uint32_t peer_domain, std::uint64_t size_bytes, bool is_granted) {
    const auto shelf = shelves_.find(peer_domain);
    if (shelf == shelves_.end()) return nullptr;
    const std::uint64_t now = clock_();
    for (auto idle = shelf->second.begin(); idle != shelf->second.end() && idle->ready_at_ns <= now; ++idle) {
        if (idle->slab->size_bytes != size_bytes || idle->slab->is_granted() != is_granted) continue;
        SlabPtr slab = std::move(idle->slab);
        shelf->second.erase(idle);
        if (shelf->second.empty()) shelves_.erase(shelf);
        --idle_;
        idle_bytes_ -= size_bytes;
        if (!slab->scrub()) return nullptr;
        return slab;
    }
    return nullptr;
}

void SlabPool::ended(std::uint64_t connection_id, std::uint32_t peer_domain, unsigned side) {
    const auto found = lent_.find(connection_id);
    if (found == lent_.end()) return hoarded_ended(connection_id, peer_domain, side);
    if (found->second.peer_domain != peer_domain) return;
    found->second.ended_sides |= 1U << side;
    if (found->second.ended_sides != 3) {
        if (side == 0) waiting_.push_back(connection_id);
        trim_waiting();
        return;
    }
    Lent lent = std::move(found->second);
    lent_.erase(found);
    std::erase(waiting_, connection_id);
    shelve(std::move(lent));
}

void SlabPool::shelve(Lent lent) {
    lent.slab->memory = {};
    lent.slab->is_known_to_peer = false;  // by the id of the connection that takes it next
    std::deque<Idle>& shelf = shelves_[lent.peer_domain];
    if (shelf.size() < kMaxIdlePerPeer && idle_ < kMaxIdle && lent.slab->scrub()) {
        ++idle_;
        idle_bytes_ += lent.slab->size_bytes;
        shelf.push_back({std::move(lent.slab), clock_() + kRestNs});
    }
    if (shelf.empty()) shelves_.erase(lent.peer_domain);
}

// A peer that never says ended must not fill the agent's descriptor table.
void SlabPool::trim_waiting() {
    while (waiting_.size() > max_waiting_) forget(waiting_.front());
}

void SlabPool::hoard(std::uint64_t connection_id, const Lent& lent) {
    if (!lent.slab->is_granted() || !lent.slab->is_known_to_peer) return;
    hoarded_[lent.peer_domain].emplace(connection_id,
                                       Hoarded{std::move(lent.slab->grants), lent.ended_sides});
}

void SlabPool::hoarded_ended(std::uint64_t connection_id, std::uint32_t peer_domain, unsigned side) {
    const auto of_peer = hoarded_.find(peer_domain);
    if (of_peer == hoarded_.end()) return;
    const auto found = of_peer->second.find(connection_id);
    if (found == of_peer->second.end()) return;
    found->second.ended_sides |= 1U << side;
    if (found->second.ended_sides == 3) of_peer->second.erase(found);
}

void SlabPool::forget(std::uint64_t connection_id) {
    std::erase(waiting_, connection_id);
    const auto found = lent_.find(connection_id);
    if (found == lent_.end()) return;
    found->second.ended_sides |= 1U;
    hoard(connection_id, found->second);
    lent_.erase(found);
}

void SlabPool::drop_guest(DomainId guest) {
    std::erase_if(lent_, [guest](const auto& item) {
        return item.second.peer_domain == guest && item.second.slab->is_granted();
    });
    std::erase_if(waiting_, [this](std::uint64_t id) { return lent_.count(id) == 0; });
    hoarded_.erase(guest);
    const auto shelf = shelves_.find(guest);
    if (shelf == shelves_.end()) return;
    drop_granted(shelf->second);
    if (shelf->second.empty()) shelves_.erase(shelf);
}

void SlabPool::drop_granted(std::deque<Idle>& shelf) {
    std::erase_if(shelf, [this](const Idle& idle) {
        if (!idle.slab->is_granted()) return false;
        --idle_;
        idle_bytes_ -= idle.slab->size_bytes;
        return true;
    });
}

void SlabPool::forget_peer(std::uint32_t peer_domain) {
    std::erase_if(lent_, [this, peer_domain](const auto& item) {
        if (item.second.peer_domain != peer_domain) return false;
        hoard(item.first, item.second);
        return true;
    });
    std::erase_if(waiting_, [this](std::uint64_t id) { return lent_.count(id) == 0; });
}

}  // namespace xylem::agent
