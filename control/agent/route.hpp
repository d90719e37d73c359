// Where a connect would go by the map alone, and with what memory.
#pragma once

#include "control/protocol/map_table.hpp"
#include "control/protocol/reason.hpp"
#include "vsock-transport/stream/region.hpp"

namespace xylem::agent {

struct Agent;

struct Route {
    Reason reason;  // ring: go and ask; else why it must be TCP
    std::uint32_t domain = 0;
    SlabGeometry geometry{};
    std::uint32_t spin_ns = 0;
    const MapTableEntry* entry = nullptr;  // that decided; null: none, or AF_VSOCK
};

// ring_size_bytes 0 and spin_ns kUnsetSpinNs: not asked for; then the line decides, then the default.
Route find_route(const Agent& agent, const SocketName& peer, std::uint64_t ring_size_bytes,
                 std::uint32_t spin_ns);

// The name that the connecting end gives itself: as bound, or this domain's address.
SocketName own_name(const Agent& agent, const SocketName& bound, const SocketName& peer,
                    std::uint32_t peer_domain);

}  // namespace xylem::agent
