// The slabs that this agent made, one for each connection that its domain began. A slab goes back to the pool
// once both ends said that they ended, and is reused for the same peer and size only, and not at once: a
// thread that was still asleep in a call when another closed its descriptor looks at the slab once more.
//
// Granted pages stay in use as long as the peer maps them, and only the kernel knows that: gntalloc takes
// them off its count when we close them, and frees them when it can. So what a peer was told of and did not
// give back is charged to it until it says that it ended, or until Xen knows no such guest. Whether what it
// says is true cannot be known. What an earlier agent granted is not known, either.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <unordered_map>

#include "control/agent/peer_shares.hpp"
#include "control/agent/quota.hpp"
#include "control/agent/slab.hpp"
#include "vsock-transport/base/clock.hpp"
#include "vsock-transport/base/result.hpp"
#include "vsock-transport/base/unique_fd.hpp"

namespace xylem::agent {

class SlabPool {
  public:
    using Clock = std::uint64_t (*)();
    // max_waiting: slabs that are kept for a peer which has not ended its side.
    SlabPool(PeerShares& memory, PeerShares& grants, Clock clock = now_ns,
             std::size_t max_waiting = kMaxWaiting)
        : memory_(memory), grants_(grants), clock_(clock), max_waiting_(max_waiting) {}

    // A zeroed slab for a new connection, granted to the peer or a memfd. Errors: exhausted (quota), system.
    Result<SlabPtr> take(std::uint64_t connection_id, std::uint32_t peer_domain, std::uint64_t size_bytes,
                         bool is_granted = false);
    // Of a connection that has not ended. Null: there is none.
    SlabPtr find(std::uint64_t connection_id) const;
    // That side of the connection is closed and unmapped. The second side sends the slab to the pool.
    void ended(std::uint64_t connection_id, std::uint32_t peer_domain, unsigned side);
    // Nobody has our side of it. Somebody may still have it mapped: it will not be reused.
    void forget(std::uint64_t connection_id);
    // The same of all that was lent to that peer, but we may still have our sides.
    void forget_peer(std::uint32_t peer_domain);
    // Xen knows no such guest: none of its slabs are kept for it.
    void drop_guest(DomainId guest);

    std::size_t idle() const { return idle_; }
    std::uint64_t idle_bytes() const { return idle_bytes_; }
    std::size_t waiting() const { return waiting_.size(); }
    std::uint64_t hits() const { return hits_; }
    std::uint64_t misses() const { return misses_; }

    static constexpr std::size_t kMaxIdlePerPeer = 256;
    static constexpr std::size_t kMaxIdle = 1024;
    static constexpr std::uint64_t kRestNs = 2 * kNsPerSecond;  // a margin: who said `ended` has let go
    static constexpr std::size_t kMaxWaiting = 1024;

  private:
    struct Lent {
        SlabPtr slab;
        std::uint32_t peer_domain;
        unsigned ended_sides;  // bit 0, bit 1
    };
    struct Idle {
        SlabPtr slab;
        std::uint64_t ready_at_ns;
    };
    struct Hoarded {
        PeerShares::Lease pages;
        unsigned ended_sides;
    };
    void shelve(Lent lent);
    void hoard(std::uint64_t connection_id, const Lent& lent);
    void hoarded_ended(std::uint64_t connection_id, std::uint32_t peer_domain, unsigned side);
    Result<SlabPtr> make(std::uint32_t peer_domain, std::uint64_t size_bytes, bool is_granted);
    void drop_idle_grants();
    void drop_granted(std::deque<Idle>& shelf);
    SlabPtr from_shelf(std::uint32_t peer_domain, std::uint64_t size_bytes, bool is_granted);
    void trim_waiting();

    PeerShares& memory_;
    PeerShares& grants_;
    Clock clock_;
    std::size_t max_waiting_;
    std::unordered_map<std::uint64_t, Lent> lent_;                 // by connection id
    std::unordered_map<std::uint32_t, std::deque<Idle>> shelves_;  // by peer domain, oldest first
    std::deque<std::uint64_t> waiting_;  // connections of which the own side ended first, oldest first
    // Of slabs that were forgotten: by peer domain, and connection id.
    std::map<std::uint32_t, std::unordered_map<std::uint64_t, Hoarded>> hoarded_;
    std::size_t idle_ = 0;
    std::uint64_t idle_bytes_ = 0;
    std::uint64_t hits_ = 0;
    std::uint64_t misses_ = 0;
};

}  // namespace xylem::agent
