// Who of an end has the slab mapped (HolderBytes of slab_layout.h), said and looked at.
#pragma once

#include "vsock-transport/ring/slab_layout.h"

namespace xylem {

// By a process that has mapped it. holder: as its agent says; 0, or none that there is: nothing.
inline void say_held(HolderBytes& held, std::uint32_t holder) {
    if (holder == kAnyHolder || holder >= kHolders) return;
    held.bytes[holder].store_release(1);
    held.bytes[kAnyHolder].store_release(1);  // pairs with may_be_held(): the other comes first
}

// Whether a process still has it, or none has begun to.
inline bool may_be_held(const HolderBytes& held) {
    if (held.bytes[kAnyHolder].load_acquire() == 0) return true;
    for (std::uint32_t holder = kAnyHolder + 1; holder < kHolders; ++holder) {
        if (held.bytes[holder].load_acquire() != 0) return true;
    }
    return false;
}

}  // namespace xylem
