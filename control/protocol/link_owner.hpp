// Who really is the agent of a domain (link_incoming.cpp).
#pragma once

namespace xylem {

// Whether the process that listens at path is the one at the other side of the socket.
bool owns_link_socket(const char* path, int socket);

}  // namespace xylem
