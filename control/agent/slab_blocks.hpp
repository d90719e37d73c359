// The words that both ends of a connection publish, for a look by the agent.
#pragma once

#include <sys/mman.h>

#include "control/agent/ends.hpp"
#include "vsock-transport/ring/holder_bytes.hpp"

namespace xylem::agent {

// Of an end that has memory. Errors: system.
inline Result<Mapping> map_blocks(const End& end) { return end.slab->map(kRingsOffsetBytes); }

inline EndBlock& block_of(const Mapping& blocks, unsigned side) {
    return *blocks.as<EndBlock>(kEndBlockOffsetBytes + side * sizeof(EndBlock));
}

inline HolderBytes& holders_of(const Mapping& blocks, unsigned side) {
    return *blocks.as<HolderBytes>(holder_offset(side, kAnyHolder));
}

}  // namespace xylem::agent
