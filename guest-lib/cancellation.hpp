// pthread_cancel(3) in calls of ours. A call acts on a pending request where it begins (may_be_cancelled) and
// while it sleeps, as libc's do. A cancelled thread never returns from its sleep, and no destructor runs on
// its stack, since this library is built without exceptions: what the call holds, references, waiter slots,
// doorbells, is given up by a handler that each sleep sets up. Nowhere else may a call of ours reach one of
// libc's cancellation points while it holds anything: that is what system_call() is for.
#pragma once

#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include <cstdint>

namespace xylem {

struct Socket;

inline void may_be_cancelled() { ::pthread_testcancel(); }

// ppoll as a cancellation point. timeout_ns: kForever waits. Returns as the system call does; errno is kept.
long poll_cancellable(pollfd* items, nfds_t count, std::uint64_t timeout_ns, const sigset_t* mask = nullptr);

// Runs sleep(context), giving up the caller's reference to the socket if the thread is cancelled in there.
// With `waits`, also the slots and the doorbell by which the thread waits on its stream.
long sleep_holding(Socket& socket, bool waits, long (*sleep)(void*), void* context);

}  // namespace xylem
