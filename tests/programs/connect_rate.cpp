// What a connection costs: connect, one byte there, one byte back, close; one after the other, as netperf's
// TCP_CRR does.
//
//   connect_rate serve ADDRESS PORT_FILE        answers until it is killed
//   connect_rate call ADDRESS PORT_FILE COUNT   prints `TRANSPORT NANOSECONDS` a connection, connect alone
//                                               and close alone; TRANSPORT is ring, tcp or both
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>

#include "rendezvous.hpp"
#include "transports.hpp"

namespace {

std::uint64_t now_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

[[noreturn]] void serve(const char* address, const char* port_file) {
    const int listener = listen_at(name_of(address, 0), port_file, 64);
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
    const Name name = name_of(address, read_port(port_file));
    std::uint64_t connect_ns = 0, close_ns = 0, all_ns = 0;
    Transports transports;
    for (int i = 0; i < count; ++i) {
        const std::uint64_t start_ns = now_ns();
        const int fd = connect_to(name);
        const std::uint64_t connected_ns = now_ns();
        char byte = 'x';
        if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1 || byte != 'x') fail("the byte");
        transports.note(fd);
        const std::uint64_t answered_ns = now_ns();
        close(fd);
        const std::uint64_t closed_ns = now_ns();
        connect_ns += connected_ns - start_ns;
        close_ns += closed_ns - answered_ns;
        all_ns += closed_ns - start_ns;
    }
    const auto each = static_cast<std::uint64_t>(count);
    printf("%s %llu %llu %llu\n", transports.word(), static_cast<unsigned long long>(all_ns / each),
           static_cast<unsigned long long>(connect_ns / each),
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
