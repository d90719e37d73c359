// Socket names in the agent: comparing, cleaning, printing.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "control/protocol/socket_names.hpp"

namespace xylem::agent {

bool is_known_family(const SocketName& name);
// Port 0 is no port, but one like others of AF_VSOCK, where VMADDR_PORT_ANY is none.
bool names_port(const SocketName& name);
bool same_address(const SocketName& a, const SocketName& b);
// The name with only the fields of its family set: what a program left in the others is dropped.
SocketName cleaned(const SocketName& name);

// "127.44.0.1:5201", "[fd00::7]:80", "vsock:3:1024", "vsock:*:1024" (any cid); empty for an unknown family.
std::string to_text(const SocketName& name);
std::string address_text(const SocketName& name);

// A name that a program gave itself, as people may read it: printable, bounded.
std::string printable(const char (&text)[64]);

}  // namespace xylem::agent
