// Many connections that do nothing, for measuring what that costs.
//
//   idle_connections serve ADDRESS PORT_FILE COUNT
//   idle_connections call ADDRESS PORT_FILE COUNT
//
// Each side holds COUNT connections in one epoll set, sends one byte over each so that it has been used,
// prints `ready TRANSPORTS` (ring, tcp or both) and sleeps. SIGTERM makes the caller close everything; the
// server sees the ends, closes its own and prints `closed COUNT`. Both then wait for one line on standard
// input.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "rendezvous.hpp"
#include "transports.hpp"

namespace {

volatile sig_atomic_t stop = 0;

std::vector<int> accept_all(const char* address, const char* port_file, int count) {
    const int listener = listen_at(name_of(address, 0), port_file, 512);
    std::vector<int> fds;
    for (int i = 0; i < count; ++i) {
        fds.push_back(accept(listener, nullptr, nullptr));
        if (fds.back() < 0) fail("accept");
    }
    close(listener);
    return fds;
}

std::vector<int> connect_all(const char* address, const char* port_file, int count) {
    const Name name = name_of(address, read_port(port_file));
    std::vector<int> fds;
    for (int i = 0; i < count; ++i) fds.push_back(connect_to(name));
    return fds;
}

const char* transports_of(const std::vector<int>& fds) {
    Transports transports;
    for (int fd : fds) transports.note(fd);
    return transports.word();
}

void use_each_once(const std::vector<int>& fds) {
    char byte = 0;
    for (int fd : fds) {
        if (send(fd, "x", 1, MSG_NOSIGNAL) != 1) fail("send");
    }
    for (int fd : fds) {
        if (recv(fd, &byte, 1, 0) != 1) fail("recv");
    }
}

int hold(const std::vector<int>& fds) {
    const int set = epoll_create1(EPOLL_CLOEXEC);
    for (int fd : fds) {
        epoll_event event{};
        event.events = EPOLLIN | EPOLLRDHUP;
        event.data.fd = fd;
        if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
    }
    printf("ready %s\n", transports_of(fds));
    fflush(stdout);
    std::size_t closed = 0;
    while (stop == 0 && closed < fds.size()) {
        epoll_event event{};
        if (epoll_wait(set, &event, 1, -1) != 1) continue;
        close(event.data.fd);
        ++closed;
    }
    if (stop != 0) {
        for (int fd : fds) close(fd);
        closed = fds.size();
    }
    close(set);
    printf("closed %zu\n", closed);
    fflush(stdout);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: idle_connections serve|call ADDRESS PORT_FILE COUNT\n");
        return 2;
    }
    struct sigaction action {};
    action.sa_handler = [](int) { stop = 1; };
    sigaction(SIGTERM, &action, nullptr);
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    const int count = atoi(argv[4]);
    const bool serves = strcmp(argv[1], "serve") == 0;
    const std::vector<int> fds =
        serves ? accept_all(argv[2], argv[3], count) : connect_all(argv[2], argv[3], count);
    use_each_once(fds);
    hold(fds);
    return getchar() == EOF ? 0 : 0;
}
