// Numbers only: a bridge never waits for a resolver.
#include "rdma-bridge/node_name.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>
#include <cstring>

#include "rdma-bridge/node_protocol.h"

namespace xylem::bridge {
namespace {

std::optional<std::uint16_t> port_of(const std::string& text) {
    std::uint16_t port = 0;
    const char* last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, port);
    if (error != std::errc() || end != last || port == 0) return std::nullopt;
    return port;
}

}  // namespace

void NodeAddress::set_port(std::uint16_t port) {
    // sin_port and sin6_port lie at the same place.
    reinterpret_cast<sockaddr_in&>(storage).sin_port = ::htons(port);
}

std::uint16_t NodeAddress::port() const {
    return ::ntohs(reinterpret_cast<const sockaddr_in&>(storage).sin_port);
}

std::optional<NodeAddress> node_address(const std::string& text) {
    std::string host = text;
    std::optional<std::uint16_t> port = kNodePort;
    const bool is_bracketed = !text.empty() && text[0] == '[';
    const std::size_t colon = is_bracketed ? text.find("]:") : text.find(':');
    if (is_bracketed) {
        if (colon == text.npos) return std::nullopt;
        host = text.substr(1, colon - 1);
        port = port_of(text.substr(colon + 2));
    } else if (colon != text.npos && text.find(':', colon + 1) == text.npos) {
        host = text.substr(0, colon);
        port = port_of(text.substr(colon + 1));
    }
    if (!port) return std::nullopt;
    NodeAddress address;
    auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
    if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        address.length = sizeof v4;
    } else if (::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        address.length = sizeof v6;
    } else {
        return std::nullopt;
    }
    address.set_port(*port);
    return address;
}

SocketName name_of(const NodeAddress& node) {
    SocketName name{};
    name.family = node.storage.ss_family;
    name.port = node.port() == kNodePort ? 0 : node.port();
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(node.storage);
    if (name.family == AF_INET) {
        std::memcpy(name.address, &reinterpret_cast<const sockaddr_in&>(node.storage).sin_addr, 4);
    } else if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
        name.family = AF_INET;
        std::memcpy(name.address, v6.sin6_addr.s6_addr + 12, 4);
    } else {
        std::memcpy(name.address, &v6.sin6_addr, 16);
    }
    return name;
}

}  // namespace xylem::bridge
