// A socket address in a fixed form, for messages and shared pages.
#pragma once

#include <cstdint>

namespace xylem {

// family: AF_INET, AF_INET6 or AF_VSOCK; 0 = no address. port: host order (AF_VSOCK: 32 bits). address: 4 or
// 16 bytes in network order, or the cid in the first 4 bytes, host order.
struct SocketName {
    std::uint32_t family;
    std::uint32_t port;
    std::uint8_t address[16];
    std::uint32_t scope_id;
    std::uint32_t reserved;
};
static_assert(sizeof(SocketName) == 32);

}  // namespace xylem
