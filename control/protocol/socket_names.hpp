// What program and agent both make of socket names. Freestanding: it is also inside the guest library.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vsock-transport/base/socket_name.h"

namespace xylem {

// Length of the address in use: 4, 16, or 4 for a cid; 0 for a family that is none of ours.
std::size_t address_bytes(const SocketName& name);

// A name of AF_VSOCK: a cid, which is a domain, and a port of 32 bits.
SocketName vsock_name(std::uint32_t cid, std::uint32_t port);
std::uint32_t cid_of(const SocketName& vsock_name);

// 0.0.0.0, ::, or VMADDR_CID_ANY.
bool is_wildcard(const SocketName& name);

// ::ffff:a.b.c.d for the AF_INET name a.b.c.d, and the other way round; both leave other names alone.
SocketName as_ipv4_mapped(const SocketName& name);
SocketName unmapped(const SocketName& name);

}  // namespace xylem
