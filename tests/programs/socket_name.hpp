// Names of stream sockets, from words: an address of IPv4 or IPv6, or `vsock:CID`.
#pragma once

#include <arpa/inet.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>

struct Name {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
    std::uint32_t port() const {
        if (storage.ss_family == AF_VSOCK) return reinterpret_cast<const sockaddr_vm*>(&storage)->svm_port;
        const auto* in = reinterpret_cast<const sockaddr_in*>(&storage);
        return ntohs(in->sin_port);  // sin6_port lies at the same place
    }
    std::string text() const {
        char words[INET6_ADDRSTRLEN] = "?";
        const auto* in = reinterpret_cast<const sockaddr_in*>(&storage);
        const auto* in6 = reinterpret_cast<const sockaddr_in6*>(&storage);
        if (storage.ss_family == AF_INET) inet_ntop(AF_INET, &in->sin_addr, words, sizeof words);
        if (storage.ss_family == AF_INET6) inet_ntop(AF_INET6, &in6->sin6_addr, words, sizeof words);
        return words;
    }
};

inline constexpr char kVsockPrefix[] = "vsock:";

// port 0: any that is free.
inline Name name_of(const char* address, std::uint64_t port) {
    Name name;
    constexpr std::size_t kPrefixLength = sizeof kVsockPrefix - 1;
    if (strncmp(address, kVsockPrefix, kPrefixLength) == 0) {
        auto* vm = reinterpret_cast<sockaddr_vm*>(&name.storage);
        vm->svm_family = AF_VSOCK;
        vm->svm_cid = static_cast<unsigned>(atoi(address + kPrefixLength));
        vm->svm_port = port == 0 ? VMADDR_PORT_ANY : static_cast<unsigned>(port);
        name.length = sizeof *vm;
        return name;
    }
    auto* in = reinterpret_cast<sockaddr_in*>(&name.storage);
    auto* in6 = reinterpret_cast<sockaddr_in6*>(&name.storage);
    in->sin_port = htons(static_cast<std::uint16_t>(port));
    if (inet_pton(AF_INET, address, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        name.length = sizeof *in;
    } else {
        in6->sin6_family = AF_INET6;
        inet_pton(AF_INET6, address, &in6->sin6_addr);
        name.length = sizeof *in6;
    }
    return name;
}

inline Name local_name(int fd) {
    Name name;
    getsockname(fd, name.get(), &name.length);
    return name;
}
