// Socket addresses between the program's sockaddr and the fixed SocketName of protocol and end pages.
#pragma once

#include <sys/socket.h>

#include "control/protocol/socket_names.hpp"

namespace xylem {

// False: not an AF_INET, AF_INET6 or AF_VSOCK address of at least the right length.
bool to_socket_name(const sockaddr* address, socklen_t length, SocketName& name);

// An AF_INET name as an AF_INET6 socket sees it (::ffff:a.b.c.d); any other name as it is.
SocketName as_seen_by(int socket_family, const SocketName& name);

// What the kernel would store at address/length (truncating, *length = the full size).
void store_name(const SocketName& name, sockaddr* address, socklen_t* length);

// Into storage of any size; returns the length.
socklen_t to_sockaddr(const SocketName& name, sockaddr_storage& storage);

// Whom a connect() to that name reaches: the wildcard is this machine's loopback address (net/ipv4/route.c,
// net/ipv6/tcp_ipv6.c).
SocketName reached_by(const SocketName& name);

// What the kernel says that fd is bound to; family 0 if it says nothing.
SocketName bound_name(int fd);
// Whom it says that fd is connected with; likewise.
SocketName peer_name(int fd);

}  // namespace xylem
