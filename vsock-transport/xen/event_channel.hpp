// The kick between guests of one machine: an event channel. Each end has an open file of its own, so that
// poll() says of a waiter's descriptor whether this one doorbell rang, and a descriptor that is handed on
// (SCM_RIGHTS) gives this one channel and no other. Thread safe: no state but the descriptor.
//
// A channel that rang is masked until drain_event_channel(), so a peer that rings without end costs its
// waiter one wake-up for each time that it looks.
#pragma once

#include <cstdint>

#include "vsock-transport/base/result.hpp"
#include "vsock-transport/base/unique_fd.hpp"
#include "vsock-transport/xen/grant_region.hpp"

namespace xylem {

struct EventChannel {
    UniqueFd fd;             // poll for POLLIN, then drain_event_channel(); closing it closes the channel
    std::uint32_t port = 0;  // of this domain
};

// A channel that the other domain may bind, by its port, and nobody else.
// Errors: system: ENOENT (not a Xen guest), ENOSPC (out of channels), ESRCH (no such domain), EACCES.
[[nodiscard]] Result<EventChannel> offer_event_channel(DomainId to);

// The other end of one. It has rung once by then. Errors: as above, and system EINVAL: no such offer.
[[nodiscard]] Result<EventChannel> bind_event_channel(DomainId from, std::uint32_t port);

// Whether Xen knows such a domain. One that it does not know maps nothing of ours any more, whatever XenStore
// says of it; one that is being destroyed it still knows. True where it cannot be asked.
[[nodiscard]] bool is_known_to_xen(DomainId domain);

// Never blocks. False: the channel is closed.
bool kick_event_channel(int fd, std::uint32_t port);

// Takes what rang. Never blocks.
void drain_event_channel(int fd);

// The two halves of it. The port that rang; 0: none. It cannot ring again until it is unmasked.
std::uint32_t take_event(int fd);
void unmask_event_channel(int fd, std::uint32_t port);

// Before the descriptor goes to a program: from then on it serves to bind channels of that domain and no
// other's, and no new ones can be offered through it. Errors: system.
[[nodiscard]] Result<DomainId> restrict_event_channel(int fd, DomainId peer);

// Closes the channel for everybody who has its descriptor.
void close_event_channel(int fd, std::uint32_t port);

}  // namespace xylem
