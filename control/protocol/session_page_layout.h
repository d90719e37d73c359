// What a program's sockets are and why, written by its guest library (but for `notices`), read by its agent
// when somebody asks
// (`xylem ls`). No round trip for a socket that stays on TCP. The agent treats it as text for people:
// bounded, checked, and acted upon in one case only: `adopt` finds an accepted end by its cookie here, among
// the ends that this very session holds. A record's state is stored last (release) and cleared first.
// Tallies count TCP connections by reason and peer; what has no row of its own is counted by reason alone.
#pragma once

#include "control/protocol/capture_layout.h"
#include "vsock-transport/base/atomic.hpp"
#include "vsock-transport/base/socket_name.h"

namespace xylem {

inline constexpr std::uint32_t kSessionPageMagic = 0x4753'5958;  // "XYSG"
inline constexpr std::uint16_t kSessionPageVersion = 3;
inline constexpr unsigned kSessionRecords = 8192;
inline constexpr unsigned kTallies = 64;
inline constexpr unsigned kReasonTallies = 64;  // more than there are reasons

enum class RecordState : std::uint32_t { unused = 0, tcp = 1, ring = 2, listener = 3 };

struct SessionRecord {
    AtomicU32 state;  // RecordState
    std::uint32_t fd;
    std::uint64_t cookie;
    std::uint64_t end_id;  // ring only
    std::uint32_t reason;  // Reason
    std::uint32_t reserved;
    SocketName local;
    SocketName peer;
};

struct Tally {
    AtomicU32 state;       // 0 unused, kTallyReady; another value: being written
    std::uint32_t reason;  // Reason
    AtomicU64 connections;
    SocketName peer;  // port 0: an accepted connection's, whose port says nothing
};
inline constexpr std::uint32_t kTallyReady = 2;

// Waits in which a peer in another guest rang more often than it had reason to (xen/channel_waiter.hpp).
struct StormCount {
    AtomicU32 peer_domain;  // 0: free; rows are claimed in order and never given back
    AtomicU32 waits;
};
inline constexpr unsigned kStormPeers = 5;  // further ones are not counted

struct SessionPage {
    std::uint32_t magic;
    std::uint16_t version;
    std::uint16_t reserved;
    AtomicU32 high_water;        // records [0, high_water) may be in use
    AtomicU32 ring_connections;  // since the program began
    AtomicU32 tcp_connections;
    AtomicU32 notices;  // by the agent: there is something new about an end; each end is to be rejoined
    StormCount storms[kStormPeers];
    Tally tallies[kTallies];
    AtomicU64 other_peers[kReasonTallies];  // index: Reason
    SessionRecord records[kSessionRecords];
    alignas(64) CaptureArea capture;
};

static_assert(sizeof(SessionRecord) == 96);
static_assert(sizeof(Tally) == 48);
static_assert(sizeof(StormCount) == 8);
static_assert(sizeof(SessionPage) == 64 + kTallies * sizeof(Tally) + kReasonTallies * sizeof(AtomicU64) +
                                         kSessionRecords * sizeof(SessionRecord) + sizeof(CaptureArea));

}  // namespace xylem
