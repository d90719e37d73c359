// The memory of one connection in test processes: a slab, and an end page for each side, all in memfds. A
// slab is mapped with one page more than its file has: a step behind the last ring ends the test (SIGBUS).
#pragma once

#include "vsock-transport/local/slab_memfd.hpp"
#include "vsock-transport/stream/stream.hpp"

namespace xylem::testing_support {

class StreamMemory {
  public:
    // Sides 0 and 1 belong to domains 1 and 2. Throws if the system refuses.
    StreamMemory(const SlabGeometry& geometry, std::uint32_t spin_ns);

    // A stream over mappings of its own.
    Stream open(unsigned side, BellRinger& bells) const;

    Mapping map_slab() const;
    Mapping map_page(unsigned side) const;
    int slab_fd() const { return slab_.get(); }
    const SlabGeometry& geometry() const { return geometry_; }

  private:
    SlabGeometry geometry_;
    UniqueFd slab_;
    UniqueFd pages_[2];
};

inline EndBlock& block_of(const Mapping& slab, unsigned side) {
    return *slab.as<EndBlock>(kEndBlockOffsetBytes + side * sizeof(EndBlock));
}

}  // namespace xylem::testing_support
