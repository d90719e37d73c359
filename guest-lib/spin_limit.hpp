// How long this process's waits for several sockets (poll, select, epoll) may spin: as long as the longest
// that any ring socket of it was given. Before the first there is nothing to spin for.
#pragma once

#include <algorithm>
#include <cstdint>

#include "vsock-transport/base/atomic.hpp"
#include "vsock-transport/wakeup/wait_policy.hpp"

namespace xylem {

inline constinit AtomicU32 longest_spin_ns{0};

// Two threads that raise it at once may lose the lower one for good, or the higher one until the next socket.
inline void raise_longest_spin(std::uint32_t spin_ns) {
    longest_spin_ns.store_relaxed(std::max(longest_spin_ns.load_relaxed(), spin_ns));
}

inline void keep_to_longest_spin(WaitPolicy& policy) {
    const std::uint32_t longest_ns = longest_spin_ns.load_relaxed();
    if (policy.max_ns() != longest_ns) policy.set_max_ns(longest_ns);
}

}  // namespace xylem
