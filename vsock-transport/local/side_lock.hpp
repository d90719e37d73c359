// Whether anybody of the far domain still has a connection's slab: asked of the kernel, not of an agent.
#pragma once

#include <cstdint>

#include "vsock-transport/base/unique_fd.hpp"

namespace xylem {

// The same slab behind an open file description of its own: what the other domain gets. Empty where the
// system refuses; then neither side sees the other, and both are left behind as if there were no locks.
UniqueFd reopened_slab(int slab_fd);

// Locks this side's byte of the connection, for as long as anybody has this description. A description bears
// one connection's lock at a time. Without it (the system refuses) the far side does not watch this one.
void lock_side(int slab_fd, std::uint64_t connection_id, unsigned side);

// Whether another description than slab_fd's has that side's lock.
bool is_side_locked(int slab_fd, std::uint64_t connection_id, unsigned side);

}  // namespace xylem
