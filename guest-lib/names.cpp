// Conversions of addresses. Ports are in host order in a SocketName, in network order in a sockaddr
// (but for AF_VSOCK, which is in host order everywhere).
#include "guest-lib/names.hpp"

#include <linux/vm_sockets.h>
#include <netinet/in.h>

#include <cstring>

#include "guest-lib/real_libc.hpp"

namespace xylem {

bool to_socket_name(const sockaddr* address, socklen_t length, SocketName& name) {
    name = {};
    if (address == nullptr || length < sizeof(sa_family_t)) return false;
    name.family = address->sa_family;
    if (address->sa_family == AF_INET && length >= sizeof(sockaddr_in)) {
        sockaddr_in in{};
        std::memcpy(&in, address, sizeof in);
        name.port = ntohs(in.sin_port);
        std::memcpy(name.address, &in.sin_addr, 4);
        return true;
    }
    if (address->sa_family == AF_INET6 && length >= sizeof(sockaddr_in6)) {
        sockaddr_in6 in{};
        std::memcpy(&in, address, sizeof in);
        name.port = ntohs(in.sin6_port);
        std::memcpy(name.address, &in.sin6_addr, 16);
        name.scope_id = in.sin6_scope_id;
        return true;
    }
    if (address->sa_family == AF_VSOCK && length >= sizeof(sockaddr_vm)) {
        sockaddr_vm vm{};
        std::memcpy(&vm, address, sizeof vm);
        name = vsock_name(vm.svm_cid, vm.svm_port);
        return true;
    }
    return false;
}

SocketName as_seen_by(int socket_family, const SocketName& name) {
    return socket_family == AF_INET6 ? as_ipv4_mapped(name) : name;
}

socklen_t to_sockaddr(const SocketName& name, sockaddr_storage& storage) {
    storage = {};
    if (name.family == AF_INET6) {
        sockaddr_in6 in{};
        in.sin6_family = AF_INET6;
        in.sin6_port = htons(static_cast<std::uint16_t>(name.port));
        in.sin6_scope_id = name.scope_id;
        std::memcpy(&in.sin6_addr, name.address, 16);
        std::memcpy(&storage, &in, sizeof in);
        return sizeof in;
    }
    if (name.family == AF_VSOCK) {
        sockaddr_vm vm{};
        vm.svm_family = AF_VSOCK;
        vm.svm_port = name.port;
        vm.svm_cid = cid_of(name);
        std::memcpy(&storage, &vm, sizeof vm);
        return sizeof vm;
    }
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(static_cast<std::uint16_t>(name.port));
    std::memcpy(&in.sin_addr, name.address, 4);
    std::memcpy(&storage, &in, sizeof in);
    return sizeof in;
}

void store_name(const SocketName& name, sockaddr* address, socklen_t* length) {
    if (address == nullptr || length == nullptr) return;
    sockaddr_storage storage;
    const socklen_t full = to_sockaddr(name, storage);
    std::memcpy(address, &storage, *length < full ? *length : full);
    *length = full;
}

SocketName reached_by(const SocketName& name) {
    if (!is_wildcard(name)) return name;
    SocketName reached = name;
    if (name.family == AF_INET6) {
        reached.address[15] = 1;
    } else {
        reached.address[0] = 127;
        reached.address[3] = 1;
    }
    return reached;
}

namespace {

using NameCall = int (*)(int, sockaddr*, socklen_t*);

SocketName kernels_name(NameCall call, int fd) {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    SocketName name{};
    if (call(fd, reinterpret_cast<sockaddr*>(&storage), &length) == 0) {
        to_socket_name(reinterpret_cast<sockaddr*>(&storage), length, name);
    }
    return name;
}

}  // namespace

SocketName bound_name(int fd) { return kernels_name(real().getsockname, fd); }

SocketName peer_name(int fd) { return kernels_name(real().getpeername, fd); }

}  // namespace xylem
