// Socket names in the agent: comparing, translating between families, printing.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "vsock-transport/base/socket_name.h"

namespace xylem::agent {

// Length of the address in use: 4, 16, or 4 for a cid; 0 for a family that is none of ours.
std::size_t address_bytes(const SocketName& name);
bool is_known_family(const SocketName& name);
// Port 0 is no port, but one like others of AF_VSOCK, where VMADDR_PORT_ANY is none.
bool names_port(const SocketName& name);
bool same_address(const SocketName& a, const SocketName& b);
// 0.0.0.0, ::, or VMADDR_CID_ANY.
bool is_wildcard(const SocketName& name);
std::uint32_t cid_of(const SocketName& vsock_name);

// ::ffff:a.b.c.d for an AF_INET name; other names unchanged. (Its opposite: control/protocol unmapped().)
SocketName as_ipv4_mapped(const SocketName& name);
// The name with only the fields of its family set: what a program left in the others is dropped.
SocketName cleaned(const SocketName& name);

// "127.44.0.1:5201", "[fd00::7]:80", "vsock:3:1024", "vsock:*:1024" (any cid); empty for an unknown family.
std::string to_text(const SocketName& name);
std::string address_text(const SocketName& name);

// A name that a program gave itself, as people may read it: printable, bounded.
std::string printable(const char (&text)[64]);

}  // namespace xylem::agent
