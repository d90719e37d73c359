// Look-up in the shared map table. Freestanding: the guest library does it on every connect.
#pragma once

#include <netinet/in.h>

#include "control/protocol/map_table_layout.h"
#include "control/protocol/remote_domain.hpp"

namespace xylem {

struct MapHit {
    MapTarget target = MapTarget::tcp;
    std::uint32_t domain = 0;
    bool mapped = false;  // false: no line covers the address
    const MapTableEntry* entry = nullptr;
};

// Whether size_bytes of memory hold a whole table of this version.
bool is_map_table(const void* memory, std::size_t size_bytes);

// Whether the address's sockets go to an agent that may know a ring for them: of this node, or the bridge.
constexpr bool takes_ring(const MapHit& hit) {
    return hit.target == MapTarget::domain || hit.target == MapTarget::domain_low16 ||
           (hit.target == MapTarget::node && is_remote_domain(hit.domain));
}

// Longest prefix match. An IPv4-mapped IPv6 address is looked up as the IPv4 address it stands for.
MapHit look_up(const MapTableHeader& table, const SocketName& name);

}  // namespace xylem
