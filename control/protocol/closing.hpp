// Closing what others sent. The last close of a socket waits as long as its sender said (SO_LINGER), that of
// a file as long as its file system likes (FUSE), and that of a socket in which such a descriptor waits does
// so, too; signals do not end it. So it is done by threads that nobody waits for.
#pragma once

#include "control/protocol/codec.hpp"
#include "vsock-transport/base/unique_fd.hpp"

namespace xylem {

// At once if it is a memfd. Otherwise by a thread, of which there are kMostClosers at most: one that waits
// takes its descriptor with it. Any thread.
void close_beside(UniqueFd fd);

// A connection: its peer sees the end at once. What it sent and nobody read may be such descriptors.
void hang_up_beside(UniqueFd socket);

// What is left of the descriptors that came with a message: of another domain's agent.
void close_rest_beside(Received& message);
// The same, of a program of this domain: those of sockets that do not linger are closed at once, so that a
// name which the program gives up is free when it hears from us.
void close_rest_of_program(Received& message);

inline constexpr unsigned kMostClosers = 64;

}  // namespace xylem
