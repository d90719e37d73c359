// How nodes are called (control/protocol/remote_domain.hpp), as an address to dial or to listen at.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>

#include "vsock-transport/base/socket_name.h"

namespace xylem::bridge {

struct NodeAddress {
    sockaddr_storage storage{};
    socklen_t length = 0;

    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
    void set_port(std::uint16_t port);
    std::uint16_t port() const;
};

// "192.168.7.2", "192.168.7.2:7000", "fd00::2", "[fd00::2]:7000"; without a port, the usual one. Nothing if
// it is no such.
std::optional<NodeAddress> node_address(const std::string& text);
// As hosts maps have it: port 0 for the usual one.
SocketName name_of(const NodeAddress& node);

}  // namespace xylem::bridge
