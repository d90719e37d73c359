// Stream sockets of workloads. Whatever fails ends the program.
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>

#include "eval/workloads/measure.hpp"

inline constexpr double kPatienceSeconds = 60;  // for the other side to listen

inline sockaddr_in name_of(const char* address, const char* port) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(static_cast<std::uint16_t>(atoi(port)));
    if (inet_pton(AF_INET, address, &name.sin_addr) != 1) fail(address);
    return name;
}

inline int listen_at(const sockaddr_in& name, int backlog) {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) fail("bind");
    if (listen(listener, backlog) != 0) fail("listen");
    return listener;
}

inline int accept_from(int listener) {
    const int fd = accept(listener, nullptr, nullptr);
    if (fd < 0) fail("accept");
    return fd;
}

inline int connect_with_patience(const sockaddr_in& name) {
    for (const double stop = now_seconds() + kPatienceSeconds;;) {
        const int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0) return fd;
        if (errno != ECONNREFUSED || now_seconds() > stop) fail("connect");
        close(fd);
        usleep(100'000);
    }
}
