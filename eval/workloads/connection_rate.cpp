// What a connection costs: connect, a byte there and back, close, one after the other (netperf's TCP_CRR).
//
//   connection_rate answer ADDRESS PORT
//   connection_rate ask ADDRESS PORT SECONDS     prints `rate CONNECTIONS_A_SECOND` and ends the other side
#include "eval/workloads/sockets.hpp"

namespace {

constexpr char kGoOn = 'x';
constexpr char kEnd = 'e';

char turn(int fd, char byte) {
    if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1 || recv(fd, &byte, 1, 0) != 1) fail("the byte");
    return byte;
}

void answer(const Name& name) {
    const int listener = listen_at(name, 64);
    for (char byte = kGoOn; byte != kEnd;) {
        const int fd = accept_from(listener);
        if (recv(fd, &byte, 1, 0) != 1 || send(fd, &byte, 1, MSG_NOSIGNAL) != 1) fail("the byte");
        char rest;
        if (recv(fd, &rest, 1, 0) != 0) fail("the caller's end");
        close(fd);
    }
}

void call(const Name& name, char byte) {
    const int fd = connect_with_patience(name);
    if (turn(fd, byte) != byte) fail("another byte");
    close(fd);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 4 && strcmp(argv[1], "answer") == 0) {
        answer(name_of(argv[2], argv[3]));
        return 0;
    }
    if (argc != 5 || strcmp(argv[1], "ask") != 0) {
        fprintf(stderr, "usage: %s answer ADDRESS PORT | ask ADDRESS PORT SECONDS\n", argv[0]);
        return 2;
    }
    const Name name = name_of(argv[2], argv[3]);
    call(name, kGoOn);  // the first one meets its peer
    const double start = now_seconds();
    double count = 0;
    for (const double stop = start + atof(argv[4]); now_seconds() < stop; ++count) call(name, kGoOn);
    printf("rate %.1f\n", count / (now_seconds() - start));
    call(name, kEnd);
    return 0;
}
