// Headers of single packets, with their checksums, in network byte order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "vsock-transport/base/socket_name.h"

namespace xylem::cli {

struct TcpFields {
    SocketName from;
    SocketName to;
    std::uint32_t sequence = 0;
    std::uint32_t acknowledged = 0;
    std::uint8_t flags = 0;  // TH_* of <netinet/tcp.h>
};

// IPv4 or IPv6, and TCP; a SYN has the options of a connection whose window never closes. payload_bytes: as
// the lengths say; where fewer bytes are there, TCP's checksum is left 0.
std::string tcp_headers(const TcpFields& fields, std::string_view payload, std::size_t payload_bytes);

enum class VsockEvent : std::uint8_t { connected, ended, payload };
std::string vsock_header(const SocketName& from, const SocketName& to, VsockEvent event);

}  // namespace xylem::cli
