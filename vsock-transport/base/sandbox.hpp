// Whether this process has locked itself into a seccomp filter. Filters allow what a program needs between
// its descriptors: read, write, poll, futex, mmap, clocks. What else the transport would do for itself may
// kill the process, so once there is a filter it does without: kicks are written instead of sent, a spin
// keeps the core, the agent is not asked. Set once, before the first call under the filter returns to the
// program.
#pragma once

#include "vsock-transport/base/atomic.hpp"

namespace xylem {

inline constinit AtomicU32 sandbox_word{0};

inline bool is_sandboxed() { return sandbox_word.load_relaxed() != 0; }
inline void note_sandbox() { sandbox_word.store_relaxed(1); }

}  // namespace xylem
