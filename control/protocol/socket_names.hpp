// Names of AF_VSOCK: a cid, which is a domain, and a port of 32 bits.
#pragma once

#include <linux/vm_sockets.h>
#include <sys/socket.h>

#include <cstring>

#include "vsock-transport/base/socket_name.h"

namespace xylem {

inline SocketName vsock_name(std::uint32_t cid, std::uint32_t port) {
    SocketName name{};
    name.family = AF_VSOCK;
    name.port = port;
    std::memcpy(name.address, &cid, sizeof cid);
    return name;
}

inline std::uint32_t cid_of(const SocketName& name) {
    std::uint32_t cid;
    std::memcpy(&cid, name.address, sizeof cid);
    return cid;
}

}  // namespace xylem
