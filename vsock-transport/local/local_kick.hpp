// The kick between processes of one machine: a datagram on a socket pair whose far half the waiter polls.
// Not an eventfd: the two sides of an eventfd share one open file, so a hostile peer could clear O_NONBLOCK,
// fill the counter and make the kicker block, or drain it and swallow the kicks of others. A socket pair has
// a side for each, and MSG_DONTWAIT is a property of the call.
#pragma once

#include <cstdint>

#include "vsock-transport/base/result.hpp"
#include "vsock-transport/base/unique_fd.hpp"

namespace xylem {

struct LocalBell {
    UniqueFd waiter;  // poll for POLLIN, then drain_local()
    UniqueFd kicker;  // hand to those who may kick
};

// Errors: system.
[[nodiscard]] Result<LocalBell> make_local_bell();

// Queues a kick unless enough are queued already. Never blocks.
bool kick_local(int kicker_fd);

// The same, with a word for whoever passes the kick on.
bool kick_relay(int kicker_fd, std::uint64_t token);

// Takes the queued kicks, at most a fixed number of them. Never blocks, however fast a peer kicks.
void drain_local(int waiter_fd);

}  // namespace xylem
