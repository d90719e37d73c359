// Names: pure functions over SocketName. A name may come from the other side of a boundary: no field of it is
// trusted, and none but those of its family is looked at.
#include "control/protocol/socket_names.hpp"

#include <linux/vm_sockets.h>
#include <sys/socket.h>

#include <cstring>

namespace xylem {
namespace {

constexpr std::uint8_t kMappedPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

}  // namespace

std::size_t address_bytes(const SocketName& name) {
    if (name.family == AF_INET || name.family == AF_VSOCK) return 4;
    return name.family == AF_INET6 ? 16 : 0;
}

SocketName vsock_name(std::uint32_t cid, std::uint32_t port) {
    SocketName name{};
    name.family = AF_VSOCK;
    name.port = port;
    std::memcpy(name.address, &cid, sizeof cid);
    return name;
}

std::uint32_t cid_of(const SocketName& vsock_name) {
    std::uint32_t cid;
    std::memcpy(&cid, vsock_name.address, sizeof cid);
    return cid;
}

bool is_wildcard(const SocketName& name) {
    static constexpr std::uint8_t kZero[16] = {};
    if (name.family == AF_VSOCK) return cid_of(name) == VMADDR_CID_ANY;
    return std::memcmp(name.address, kZero, address_bytes(name)) == 0;
}

SocketName as_ipv4_mapped(const SocketName& name) {
    if (name.family != AF_INET) return name;
    SocketName mapped{};
    mapped.family = AF_INET6;
    mapped.port = name.port;
    std::memcpy(mapped.address, kMappedPrefix, sizeof kMappedPrefix);
    std::memcpy(mapped.address + sizeof kMappedPrefix, name.address, 4);
    return mapped;
}

SocketName unmapped(const SocketName& name) {
    if (name.family != AF_INET6 || std::memcmp(name.address, kMappedPrefix, sizeof kMappedPrefix) != 0) {
        return name;
    }
    SocketName plain{};
    plain.family = AF_INET;
    plain.port = name.port;
    std::memcpy(plain.address, name.address + sizeof kMappedPrefix, 4);
    return plain;
}

}  // namespace xylem
