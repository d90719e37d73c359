// What a connection costs: connect, one byte there, one byte back, close; one after the other, as netperf's
// TCP_CRR does.
//
//   connect_rate serve ADDRESS PORT_FILE        answers until it is killed
//   connect_rate call ADDRESS PORT_FILE COUNT   prints `TRANSPORT NANOSECONDS` a connection, connect alone
//                                               and close alone; TRANSPORT is ring, tcp or both
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "kernel_call.hpp"

namespace {

[[noreturn]] void fail(const char* what) {
    fprintf(stderr, "connect_rate: %s: %s\n", what, strerror(errno));
    exit(1);
}

std::uint64_t now_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

sockaddr_in name_of(const char* address, unsigned port) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(static_cast<std::uint16_t>(port));
    inet_pton(AF_INET, address, &name.sin_addr);
    return name;
}

void write_port(const char* port_file, unsigned port) {
    const std::string unfinished = std::string(port_file) + "~";
    FILE* file = fopen(unfinished.c_str(), "w");
    if (file == nullptr) fail(port_file);
    fprintf(file, "%u\n", port);
    fclose(file);
    rename(unfinished.c_str(), port_file);
}

unsigned read_port(const char* port_file) {
    unsigned port = 0;
    for (int tries = 0; tries < 500; ++tries) {
        FILE* file = fopen(port_file, "r");
        if (file != nullptr) {
            const bool read = fscanf(file, "%u", &port) == 1;
            fclose(file);
            if (read) return port;
        }
        usleep(20'000);
    }
    fail(port_file);
}

[[noreturn]] void serve(const char* address, const char* port_file) {
    sockaddr_in name = name_of(address, 0);
    socklen_t length = sizeof name;
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, reinterpret_cast<sockaddr*>(&name), length) != 0) fail("bind");
    if (listen(listener, 64) != 0) fail("listen");
    getsockname(listener, reinterpret_cast<sockaddr*>(&name), &length);
    write_port(port_file, ntohs(name.sin_port));
    for (;;) {
        const int fd = accept(listener, nullptr, nullptr);
        if (fd < 0) fail("accept");
        char byte = 0;
        if (read(fd, &byte, 1) == 1 && write(fd, &byte, 1) != 1) fail("write");
        if (read(fd, &byte, 1) != 0) fail("read of the end");
        close(fd);
    }
}

void call(const char* address, const char* port_file, int count) {
    const sockaddr_in name = name_of(address, read_port(port_file));
    std::uint64_t connect_ns = 0, close_ns = 0, all_ns = 0;
    bool ring = false, tcp = false;
    for (int i = 0; i < count; ++i) {
        const std::uint64_t start_ns = now_ns();
        const int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) fail("connect");
        const std::uint64_t connected_ns = now_ns();
        char byte = 'x';
        if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1 || byte != 'x') fail("the byte");
        (kernel_knows_peer(fd) ? tcp : ring) = true;
        const std::uint64_t answered_ns = now_ns();
        close(fd);
        const std::uint64_t closed_ns = now_ns();
        connect_ns += connected_ns - start_ns;
        close_ns += closed_ns - answered_ns;
        all_ns += closed_ns - start_ns;
    }
    const auto each = static_cast<std::uint64_t>(count);
    printf("%s %llu %llu %llu\n", ring && tcp ? "both" : (ring ? "ring" : "tcp"),
           static_cast<unsigned long long>(all_ns / each), static_cast<unsigned long long>(connect_ns / each),
           static_cast<unsigned long long>(close_ns / each));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 4 && strcmp(argv[1], "serve") == 0) serve(argv[2], argv[3]);
    if (argc == 5 && strcmp(argv[1], "call") == 0) {
        call(argv[2], argv[3], atoi(argv[4]));
        return 0;
    }
    fprintf(stderr, "usage: connect_rate serve ADDRESS PORT_FILE | call ADDRESS PORT_FILE COUNT\n");
    return 2;
}
