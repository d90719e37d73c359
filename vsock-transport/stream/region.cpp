// Region: from a mapping to the pieces of one connection. Pure pointer arithmetic over checked sizes.
#include "vsock-transport/stream/region.hpp"

#include "vsock-transport/stream/robust_lock.hpp"

namespace xylem {

Result<SlabView> carve(const Mapping& slab, const SlabGeometry& geometry, unsigned side) {
    if (!slab || side > 1 || !geometry.is_valid() || slab.size_bytes() < geometry.slab_bytes()) {
        return fail(ErrorKind::bad_layout);
    }
    const auto block = [&slab](unsigned end) {
        return slab.as<EndBlock>(kEndBlockOffsetBytes + end * sizeof(EndBlock));
    };
    return SlabView{block(side), block(1 - side), slab.bytes() + geometry.ring_offset(side),
                    slab.bytes() + geometry.ring_offset(1 - side)};
}

void initialise_slab(const Mapping& slab, const SlabGeometry& geometry) {
    auto& header = *slab.as<SlabHeader>();
    header.version = kSlabVersion;
    header.header_bytes = sizeof(SlabHeader);
    for (unsigned side = 0; side < 2; ++side) {
        header.ring_size_bytes[side] = geometry.ring_size_bytes[side];
        header.ring_offset_bytes[side] = geometry.ring_offset(side);
    }
    header.magic = kSlabMagic;
}

void initialise_end_page(EndPage& page, const EndIdentity& identity) {
    page.magic = kEndPageMagic;
    page.version = kEndPageVersion;
    page.side = static_cast<std::uint16_t>(identity.side);
    page.end_id = identity.end_id;
    page.connection_id = identity.connection_id;
    page.ring_size_bytes[0] = identity.geometry.ring_size_bytes[0];
    page.ring_size_bytes[1] = identity.geometry.ring_size_bytes[1];
    page.own_domain = identity.own_domain;
    page.peer_domain = identity.peer_domain;
    page.local = identity.local;
    page.peer = identity.peer;
    page.spin_ns = identity.spin_ns;
    page.is_granted = identity.is_granted ? 1 : 0;
    RobustGuard::initialise(page.tx_lock);
    RobustGuard::initialise(page.rx_lock);
}

}  // namespace xylem
