// What a program's sockets are and why, written by its guest library, read by its agent when somebody asks
// (`xylem ls`). No round trip for a socket that stays on TCP. The agent treats it as text for people:
// bounded, checked, and acted upon in one case only: `adopt` finds an accepted end by its cookie here, among
// the ends that this very session holds. A record's state is stored last (release) and cleared first.
#pragma once

#include "vsock-transport/base/atomic.hpp"
#include "vsock-transport/base/socket_name.h"

namespace xylem {

inline constexpr std::uint32_t kSessionPageMagic = 0x4753'5958;  // "XYSG"
inline constexpr std::uint16_t kSessionPageVersion = 1;
inline constexpr unsigned kSessionRecords = 8192;

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

struct SessionPage {
    std::uint32_t magic;
    std::uint16_t version;
    std::uint16_t reserved;
    AtomicU32 high_water;        // records [0, high_water) may be in use
    AtomicU32 ring_connections;  // since the program began
    AtomicU32 tcp_connections;
    std::uint32_t reserved2[11];
    SessionRecord records[kSessionRecords];
};

static_assert(sizeof(SessionRecord) == 96);
static_assert(sizeof(SessionPage) == 64 + kSessionRecords * sizeof(SessionRecord));

}  // namespace xylem
