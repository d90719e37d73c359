// State of one end, shared by the processes of its domain that hold it, and by their agent. The peer never
// sees this page: here stands what an end may believe about itself.
//
// Written by the agent before hand-over: identity. Written under tx_lock: ProducerState. Under rx_lock:
// ConsumerState. Everything else by compare-and-swap or by any holder, as said beside it.
#pragma once

#include <pthread.h>

#include <cstddef>
#include <cstdint>

#include "vsock-transport/base/atomic.hpp"
#include "vsock-transport/base/socket_name.h"
#include "vsock-transport/ring/consumer.hpp"
#include "vsock-transport/ring/producer.hpp"
#include "vsock-transport/ring/slab_layout.h"
#include "vsock-transport/stream/latency.hpp"

namespace xylem {

inline constexpr std::uint32_t kEndPageMagic = 0x5045'5958;  // "XYEP"
inline constexpr std::uint16_t kEndPageVersion = 6;
inline constexpr std::size_t kEndPageBytes = 4096;

// What has happened to this end in this use. Bits are only ever set.
enum EndStatus : std::uint32_t {
    kWriteShut = 1,    // shutdown(SHUT_WR): FIN is published
    kReadShut = 2,     // shutdown(SHUT_RD)
    kPeerFinSeen = 4,  // the peer finished; with kReset after it, the error is EPIPE instead of ECONNRESET
    kReset = 8,        // the connection is over
    kPeerLied = 16,    // it is over because a shared word was impossible: not even queued data is read
    kClosed = 32,      // the last holder closed it
};

// What is_revoked holds once the agent ended the keeping: the slab may be another connection's.
inline constexpr std::uint32_t kTakenBack = 2;

// What pending_error holds once its error was reported: no second one follows.
inline constexpr std::uint32_t kErrorTaken = 1U << 31;

// Written by any holder with plain adds: a lost count is a lost count, never a fault.
struct EndCounters {
    AtomicU64 send_calls;
    AtomicU64 receive_calls;
    AtomicU64 kicks_sent;
    AtomicU64 kicks_suppressed;  // waiter named itself, but was awake or kicked already
    AtomicU64 sleeps;
    AtomicU64 spins_won;
    AtomicU64 spins_lost;
    AtomicU64 ring_full;
    AtomicU64 ring_full_ns;
};

struct EndPage {
    // Identity: constant after the agent filled it in.
    std::uint32_t magic;
    std::uint16_t version;
    std::uint16_t side;                // 0 connecting, 1 accepting: which EndBlock and which ring is ours
    std::uint64_t end_id;              // at the own agent
    std::uint64_t connection_id;       // the same at both ends; unique at the connecting domain
    std::uint64_t ring_size_bytes[2];  // of the ring that side 0 and side 1 produces
    std::uint32_t own_domain;
    std::uint32_t peer_domain;
    SocketName local;  // the caller's port is another in each use (stream/reuse.cpp)
    SocketName peer;
    std::uint32_t spin_ns;     // upper bound of the spin budget
    std::uint32_t is_granted;  // the slab lies in granted pages: the peer is in another guest
    AtomicU32
        holders;  // sessions that hold this end; written by the agent that made it, after its death by them

    alignas(64) AtomicU32 status;  // EndStatus bits
    AtomicU32 pending_error;       // errno to report once (SO_ERROR), 0 if none, then kErrorTaken
    AtomicU32 nonblocking;         // O_NONBLOCK of the open file description
    AtomicU32 low_water_bytes;     // SO_RCVLOWAT; 0 = 1
    AtomicU64 receive_timeout_ns;  // SO_RCVTIMEO; 0 = none
    AtomicU64 send_timeout_ns;     // SO_SNDTIMEO; 0 = none
    AtomicU32 use;                 // how often the connection was used before this time; the own words' tag
    AtomicU32 is_revoked;          // by the agent: no further use; kTakenBack: and it has left for this end
    AtomicU64 tx_begin;            // cursors at which this use began
    AtomicU64 rx_begin;
    AtomicU32 abort_on_close;  // SO_LINGER with zero seconds

    alignas(64) pthread_mutex_t tx_lock;  // robust, process shared, error checking
    ProducerState tx;
    alignas(64) CopyPolicy copy_policy;  // under tx_lock
    AtomicU64 full_since_ns;             // under tx_lock; 0: there was room when a sender last looked
    alignas(64) pthread_mutex_t rx_lock;
    ConsumerState rx;

    alignas(64) AtomicU64 readable_waiters[kWaiterSlots];  // WaiterSlots' own words
    AtomicU64 writable_waiters[kWaiterSlots];

    alignas(64) EndCounters counters;
    // Of a connecting end: from a send to the first bytes that come after it, of some of them.
    AtomicU64 asked_at_ns;  // 0: no reply is waited for
    LatencyHistogram replies;
};
static_assert(offsetof(EndPage, tx) + sizeof(ProducerState) - offsetof(EndPage, tx_lock) <= 64);
static_assert(sizeof(EndPage) <= kEndPageBytes);

inline std::uint64_t count(AtomicU64& counter, std::uint64_t by = 1) {
    const std::uint64_t sum = counter.load_relaxed() + by;
    counter.store_relaxed(sum);
    return sum;
}

}  // namespace xylem
