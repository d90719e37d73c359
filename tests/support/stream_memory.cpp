// StreamMemory: what two agents would set up, in one place.
#include "tests/support/stream_memory.hpp"

#include <stdexcept>

namespace xylem::testing_support {
namespace {

template <class T>
T must(Result<T> result, const char* what) {
    if (!result) throw std::runtime_error(what);
    return std::move(*result);
}

}  // namespace

StreamMemory::StreamMemory(const SlabGeometry& geometry, std::uint32_t spin_ns)
    : geometry_(geometry),
      slab_(must(make_sealed_memfd("test-slab", geometry.slab_bytes()), "no slab")),
      pages_{must(make_sealed_memfd("test-end", kEndPageBytes), "no end page"),
             must(make_sealed_memfd("test-end", kEndPageBytes), "no end page")} {
    initialise_slab(map_slab(), geometry);
    for (unsigned side = 0; side < 2; ++side) {
        EndIdentity identity{};
        identity.end_id = side + 1;
        identity.side = side;
        identity.geometry = geometry;
        identity.own_domain = side + 1;
        identity.peer_domain = 2 - side;
        identity.spin_ns = spin_ns;
        initialise_end_page(*map_page(side).as<EndPage>(), identity);
    }
}

Mapping StreamMemory::map_slab() const {
    return must(Mapping::shared(slab_.get(), geometry_.slab_bytes() + kPageBytes, PROT_READ | PROT_WRITE),
                "no slab");
}

Mapping StreamMemory::map_page(unsigned side) const {
    return must(Mapping::shared(pages_[side].get(), kEndPageBytes, PROT_READ | PROT_WRITE), "no end page");
}

Stream StreamMemory::open(unsigned side, BellRinger& bells) const {
    return must(Stream::open(map_slab(), map_page(side), bells), "cannot open an end");
}

}  // namespace xylem::testing_support
