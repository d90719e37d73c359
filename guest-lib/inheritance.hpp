// Sockets that come into this process by other ways than socket() and accept(), and go out by other ways
// than fork().
#pragma once

#include <sys/socket.h>

namespace xylem {

// Asks the agent about a descriptor that may be a TCP or AF_VSOCK socket of another process, and enters it.
// Of no effect on other descriptors.
void take_in(int fd);
// All descriptors that the process began with.
void take_in_all();
// In a forked child: maps what of the parent's memory did not come along.
void restore_slabs();
// What a received message brought (SCM_RIGHTS).
void take_in_from(msghdr& message);

// The agent is told that descriptors of this process's sockets may soon be where no session speaks for them:
// before a program is spawned, all; before a message is sent, those that travel with it.
void lend_all();
// Shows the agent the kernel sockets of connections that are used again, of which it was not told: before
// anybody else may come to have them.
void show_ends_used_again();
void lend_what_travels(const msghdr& message);

}  // namespace xylem
