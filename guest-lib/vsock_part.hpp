// What a socket has more if it is an AF_VSOCK stream.
#pragma once

#include "guest-lib/vsock_options.hpp"
#include "vsock-transport/base/socket_name.h"

namespace xylem {

struct VsockPart {
    bool kernel_listens = false;  // a listener that the kernel's vsock takes connections for, too
    SocketName bound{};           // the port that the agent keeps for it; family 0: none
    VsockOptions options;         // of a stand-in
};

}  // namespace xylem
