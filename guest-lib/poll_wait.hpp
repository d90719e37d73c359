// Waiting for many descriptors at once, ring sockets and kernel ones mixed: poll, select, and accept.
#pragma once

#include <poll.h>
#include <signal.h>

#include <cstdint>

namespace xylem {

struct Socket;

// The kernel's ppoll alone, without libc. timeout_ns: kForever waits. Returns as the system call does.
long poll_raw(pollfd* items, nfds_t count, std::uint64_t timeout_ns, const sigset_t* mask = nullptr);

// poll(2) over both kinds. Returns the number of ready items, or -1 and errno (EINTR, ENOMEM, ...).
// False from needs_plan(): no item is ours, the real call serves.
bool needs_plan(const pollfd* items, nfds_t count);
int poll_mixed(pollfd* items, nfds_t count, std::uint64_t timeout_ns, const sigset_t* mask);

// Waits until the listener may have a connection on either side. False: errno is set (EINTR, EAGAIN after
// SO_RCVTIMEO). may_spin: once a call, since a peer that lies may look like a caller time and again.
bool wait_for_accept(Socket& listener, int fd, bool may_spin);

}  // namespace xylem
