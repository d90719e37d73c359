// Connecting to a unix socket without waiting for room in its queue, and who is at the other side.
#pragma once

#include <sys/socket.h>

#include "vsock-transport/base/unique_fd.hpp"

namespace xylem {

// 0, or the errno: ENOENT and ECONNREFUSED (nobody listens), EAGAIN (queue full), ...
int dial_now(const char* path, UniqueFd& socket);

// SO_PEERCRED: of the process that connected, or that listens. uid ~0 if the kernel would not say.
ucred peer_of(int socket);

}  // namespace xylem
