// Stream sockets of workloads. Whatever fails ends the program.
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>

#include "eval/workloads/measure.hpp"

inline constexpr double kPatienceSeconds = 60;  // for the other side to listen

// Where a listener is: an IPv4 address, the path of a unix socket (it has a '/'), or vsock:CID.
struct Name {
    union {
        sockaddr any;
        sockaddr_in ip;
        sockaddr_un unix_path;
        sockaddr_vm vsock;
    };
    socklen_t size;
};

// port: nothing to a unix socket.
inline Name name_of(const char* address, const char* port) {
    constexpr char kVsock[] = "vsock:";
    Name name{};
    if (strchr(address, '/') != nullptr) {
        name.unix_path.sun_family = AF_UNIX;
        if (strlen(address) >= sizeof name.unix_path.sun_path) {
            errno = ENAMETOOLONG;
            fail(address);
        }
        strcpy(name.unix_path.sun_path, address);
        name.size = sizeof name.unix_path;
    } else if (strncmp(address, kVsock, strlen(kVsock)) == 0) {
        name.vsock.svm_family = AF_VSOCK;
        name.vsock.svm_cid = static_cast<unsigned>(atoi(address + strlen(kVsock)));
        name.vsock.svm_port = static_cast<unsigned>(atoi(port));
        name.size = sizeof name.vsock;
    } else {
        name.ip.sin_family = AF_INET;
        name.ip.sin_port = htons(static_cast<std::uint16_t>(atoi(port)));
        if (inet_pton(AF_INET, address, &name.ip.sin_addr) != 1) fail(address);
        name.size = sizeof name.ip;
    }
    return name;
}

inline int socket_for(const Name& name) {
    const int fd = socket(name.any.sa_family, SOCK_STREAM, 0);
    if (fd < 0) fail("socket");
    return fd;
}

inline int listen_at(const Name& name, int backlog) {
    const int listener = socket_for(name);
    const int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (name.any.sa_family == AF_UNIX) unlink(name.unix_path.sun_path);
    if (bind(listener, &name.any, name.size) != 0) fail("bind");
    if (listen(listener, backlog) != 0) fail("listen");
    return listener;
}

inline int accept_from(int listener) {
    const int fd = accept(listener, nullptr, nullptr);
    if (fd < 0) fail("accept");
    return fd;
}

// Each write at once, where the family knows of another habit.
inline void set_no_delay(int fd) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

inline int connect_with_patience(const Name& name) {
    for (const double stop = now_seconds() + kPatienceSeconds;;) {
        const int fd = socket_for(name);
        if (connect(fd, &name.any, name.size) == 0) return fd;
        const bool may_come = errno == ECONNREFUSED || errno == ENOENT || errno == ECONNRESET;
        if (!may_come || now_seconds() > stop) fail("connect");
        close(fd);
        usleep(100'000);
    }
}
