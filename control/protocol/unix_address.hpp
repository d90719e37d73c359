// Addresses of unix sockets.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <optional>

namespace xylem {

// Nothing for an empty path, or one that does not fit.
inline std::optional<sockaddr_un> unix_address(const char* path) {
    sockaddr_un address{};
    const std::size_t length = std::strlen(path);
    if (length == 0 || length >= sizeof address.sun_path) return std::nullopt;
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path, length);
    return address;
}

}  // namespace xylem
