// One connection and a stream of numbered bytes over it, for tests that break things meanwhile.
//
//   transfer receive ADDRESS PORT_FILE [-p MILLISECONDS]      listens, accepts one, reads to the end
//   transfer send ADDRESS PORT_FILE BYTES|FILE [-p MILLISECONDS]
//
// PORT_FILE: the receiver writes the port there. BYTES: how much; FILE: goes on until that file exists.
// -p pauses between pieces. Each side ends with a line
//
//   BYTES HASH END TRANSPORT     END is `end`, or the name of errno; TRANSPORT is `ring` or `tcp`
//
// and exit code 0 if END is `end`. The sender's hash is of what it sent.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <vector>

#include "bytes.hpp"
#include "rendezvous.hpp"
#include "transports.hpp"

namespace {

constexpr std::size_t kPiece = 64 << 10;
constexpr std::size_t kPeriod =
    1 << 20;  // the pattern repeats after this and a few bytes, out of step with pieces

const std::vector<unsigned char>& stream() {
    static const std::vector<unsigned char> bytes = [] {
        std::vector<unsigned char> made(kPeriod + 7 + kPiece);
        std::uint32_t state = 1;
        for (unsigned char& byte : made) {
            state = state * 1664525 + 1013904223;
            byte = static_cast<unsigned char>(state >> 24);
        }
        memcpy(made.data() + kPeriod + 7, made.data(), kPiece);
        return made;
    }();
    return bytes;
}

struct Sum {
    std::uint64_t bytes = 0;
    std::uint64_t hash = hash_of(nullptr, 0);
    void add(const unsigned char* data, std::size_t size) {
        hash = hash_of(data, size, hash);
        bytes += size;
    }
};

int report(const Sum& sum, int error, const char* transport) {
    printf("%llu %016llx %s %s\n", static_cast<unsigned long long>(sum.bytes),
           static_cast<unsigned long long>(sum.hash), error == 0 ? "end" : strerrorname_np(error), transport);
    return error == 0 ? 0 : 1;
}

void pause_for(unsigned ms) {
    if (ms > 0) usleep(ms * 1000);
}

int receive(const char* address, const char* port_file, unsigned pause_ms) {
    const int listener = listen_at(name_of(address, 0), port_file, 8);
    const int fd = accept(listener, nullptr, nullptr);
    if (fd < 0) fail("accept");
    const char* transport = transport_of(fd);
    std::vector<unsigned char> buffer(kPiece);
    Sum sum;
    for (;;) {
        const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
        if (got <= 0) {
            const int error = got == 0 ? 0 : errno;
            close(fd);
            return report(sum, error, transport);
        }
        sum.add(buffer.data(), static_cast<std::size_t>(got));
        pause_for(pause_ms);
    }
}

int send_all(const char* address, const char* port_file, const char* until, unsigned pause_ms) {
    const int fd = connect_to(name_of(address, read_port(port_file)));
    const char* transport = transport_of(fd);
    char* end = nullptr;
    const unsigned long long wanted = strtoull(until, &end, 0);
    const bool is_number = *end == '\0';
    Sum sum;
    while (is_number ? sum.bytes < wanted : access(until, F_OK) != 0) {
        const std::size_t at = sum.bytes % (kPeriod + 7);
        const std::size_t size = is_number && wanted - sum.bytes < kPiece ? wanted - sum.bytes : kPiece;
        const ssize_t sent = send(fd, stream().data() + at, size, MSG_NOSIGNAL);
        if (sent < 0) return report(sum, errno, transport);
        sum.add(stream().data() + at, static_cast<std::size_t>(sent));
        pause_for(pause_ms);
    }
    shutdown(fd, SHUT_WR);
    char byte;
    const ssize_t answer = recv(fd, &byte, 1, 0);  // until the receiver has closed
    return report(sum, answer == 0 ? 0 : errno, transport);
}

}  // namespace

int main(int argc, char** argv) {
    unsigned pause_ms = 0;
    if (argc > 2 && strcmp(argv[argc - 2], "-p") == 0) {
        pause_ms = static_cast<unsigned>(atoi(argv[argc - 1]));
        argc -= 2;
    }
    if (argc == 4 && strcmp(argv[1], "receive") == 0) return receive(argv[2], argv[3], pause_ms);
    if (argc == 5 && strcmp(argv[1], "send") == 0) return send_all(argv[2], argv[3], argv[4], pause_ms);
    fprintf(stderr,
            "usage: transfer receive ADDRESS PORT_FILE | send ADDRESS PORT_FILE BYTES|FILE [-p MS]\n");
    return 2;
}
