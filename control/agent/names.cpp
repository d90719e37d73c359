// Names: pure functions over SocketName. Text goes to people only.
#include "control/agent/names.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/vm_sockets.h>
#include <sys/socket.h>

#include <cstring>

namespace xylem::agent {

bool is_known_family(const SocketName& name) { return address_bytes(name) != 0; }

bool names_port(const SocketName& name) {
    return name.port != (name.family == AF_VSOCK ? VMADDR_PORT_ANY : 0);
}

bool same_address(const SocketName& a, const SocketName& b) {
    return a.family == b.family && std::memcmp(a.address, b.address, address_bytes(a)) == 0;
}

SocketName cleaned(const SocketName& name) {
    SocketName clean{};
    clean.family = name.family;
    clean.port = name.port;
    if (name.family == AF_INET6) clean.scope_id = name.scope_id;
    std::memcpy(clean.address, name.address, address_bytes(name));
    return clean;
}

std::string address_text(const SocketName& name) {
    char text[INET6_ADDRSTRLEN] = {};
    if (name.family == AF_VSOCK) return std::to_string(cid_of(name));
    if (!is_known_family(name)) return {};
    ::inet_ntop(static_cast<int>(name.family), name.address, text, sizeof text);
    return text;
}

std::string to_text(const SocketName& name) {
    if (!is_known_family(name)) return {};
    if (name.family == AF_INET6) return fmt::format("[{}]:{}", address_text(name), name.port);
    if (name.family == AF_VSOCK) {
        return fmt::format("vsock:{}:{}", is_wildcard(name) ? "*" : address_text(name), name.port);
    }
    return fmt::format("{}:{}", address_text(name), name.port);
}

std::string printable(const char (&text)[64]) {
    std::string name(text, ::strnlen(text, sizeof text));
    for (char& c : name) {
        if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7E) c = '?';
    }
    return name;
}

}  // namespace xylem::agent
