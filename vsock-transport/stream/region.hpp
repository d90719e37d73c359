// The memory of one connection, carved into what each end uses. Whoever provides the memory (a sealed memfd,
// granted pages, a registered buffer) hands over a Mapping; carving checks it against the geometry that the
// control plane agreed on, never against the slab's own header, which the peer can write.
#pragma once

#include "vsock-transport/base/mapping.hpp"
#include "vsock-transport/ring/geometry.hpp"
#include "vsock-transport/ring/slab_layout.h"
#include "vsock-transport/stream/end_page_layout.h"

namespace xylem {

struct SlabGeometry {
    std::uint64_t ring_size_bytes[2];

    constexpr bool is_valid() const {
        return is_valid_ring_size(ring_size_bytes[0]) && is_valid_ring_size(ring_size_bytes[1]);
    }
    constexpr std::size_t ring_offset(unsigned side) const {
        return kRingsOffsetBytes + (side == 0 ? 0 : static_cast<std::size_t>(ring_size_bytes[0]));
    }
    constexpr std::size_t slab_bytes() const {
        return kRingsOffsetBytes + static_cast<std::size_t>(ring_size_bytes[0] + ring_size_bytes[1]);
    }
};

struct SlabView {
    EndBlock* own;
    EndBlock* peer;
    std::byte* tx_ring;
    const std::byte* rx_ring;
};

// Errors: bad_layout (geometry out of range, mapping too small, side not 0 or 1).
[[nodiscard]] Result<SlabView> carve(const Mapping& slab, const SlabGeometry& geometry, unsigned side);

// Writes the header of a slab whose bytes are all zero.
void initialise_slab(const Mapping& slab, const SlabGeometry& geometry);

// What the agent fills a fresh, zeroed end page with.
struct EndIdentity {
    std::uint64_t end_id;
    std::uint64_t connection_id;
    unsigned side;
    SlabGeometry geometry;
    std::uint32_t own_domain;
    std::uint32_t peer_domain;
    SocketName local;
    SocketName peer;
    std::uint32_t spin_ns;
    bool is_granted;  // the slab lies in granted pages
};
void initialise_end_page(EndPage& page, const EndIdentity& identity);

}  // namespace xylem
