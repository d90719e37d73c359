// The compiled hosts map, published by the agent and mapped read-only by every program of the domain, so that
// a connect to an unmapped address costs a look-up and no round trip. One writer: the agent, before it hands
// the table out; afterwards it only ever sets `superseded`. Programs may trust it as they trust their agent.
//
//   MapTableHeader, then MapTableEntry[entry_count], sorted by (family, prefix_bits descending, address).
//   A group is the run of entries with one family and one prefix length: look-up tries the groups in order.
#pragma once

#include "vsock-transport/base/atomic.hpp"
#include "vsock-transport/base/socket_name.h"

namespace xylem {

inline constexpr std::uint32_t kMapTableMagic = 0x544D'5958;  // "XYMT"
inline constexpr std::uint16_t kMapTableVersion = 1;
inline constexpr unsigned kMaxMapGroups = 33 + 129;

enum class MapTarget : std::uint32_t {
    tcp = 0,
    domain = 1,
    domain_low16 = 2,   // the domain id is the low 16 bits of the address (127.44.H.L)
    node = 3,           // on another machine
    unknown_guest = 4,  // a guest that was not found by its name; one that was is a domain
};

struct MapTableEntry {
    std::uint8_t address[16];  // network order; IPv4 in the first 4 bytes; host bits are zero
    std::uint32_t target;      // MapTarget
    std::uint32_t domain;
    std::uint64_t ring_size_bytes;  // 0 = default
    std::uint32_t spin_ns;          // kUnsetSpinNs = default
    std::uint32_t line;             // of the hosts file, 0 = built in
    SocketName node;                // where target is node; port 0 = default
};

struct MapTableGroup {
    std::uint16_t family;
    std::uint16_t prefix_bits;
    std::uint32_t first_entry;
    std::uint32_t entry_count;
};

struct MapTableHeader {
    std::uint32_t magic;
    std::uint16_t version;
    std::uint16_t group_count;
    AtomicU32 superseded;  // 1: ask for the next table
    std::uint32_t own_domain;
    std::uint32_t entry_count;
    std::uint32_t reserved;
    SocketName own_address[2];  // IPv4, IPv6; family 0 = the map names none
    MapTableGroup groups[kMaxMapGroups];
};

static_assert(sizeof(MapTableEntry) == 72);
static_assert(sizeof(MapTableGroup) == 12);

}  // namespace xylem
