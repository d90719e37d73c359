// What one event costs in an epoll set of many connections of which one is active.
//
//   epoll_load measure ADDRESS PORT_FILE COUNT EVENTS
//   epoll_load hold ADDRESS PORT_FILE COUNT
//
// measure has COUNT connections in one set: all but one are accepted from a process that holds them idle, and
// one has both ends in this process. EVENTS times one byte goes through that one, epoll_wait tells, and the
// byte is taken. One thread does all of it, so nobody sleeps. Prints: transport (ring, tcp or both),
// nanoseconds an event, and nanoseconds of it without epoll_wait.
// hold makes COUNT - 1 connections and keeps them until it is killed.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <string>

#include "rendezvous.hpp"
#include "transports.hpp"

namespace {

constexpr int kRoom = 64;

double now_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

struct Load {
    int set;
    int near;
    int far;
    Transports transports;
};

Load make_load(const char* address, const char* port_file, int count) {
    // All of them may call before one is accepted.
    const int listener = listen_at(name_of(address, 0), port_file, count);
    Load load{epoll_create1(EPOLL_CLOEXEC), -1, -1, {}};
    for (int i = 0; i < count; ++i) {
        if (i == count - 1) load.near = connect_to(local_name(listener));
        load.far = accept(listener, nullptr, nullptr);
        if (load.far < 0) fail("accept");
        load.transports.note(load.far);
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = load.far;
        if (epoll_ctl(load.set, EPOLL_CTL_ADD, load.far, &event) != 0) fail("epoll_ctl");
    }
    epoll_event events[kRoom];
    while (epoll_wait(load.set, events, kRoom, 0) > 0) continue;
    return load;
}

[[noreturn]] void hold(const char* address, const char* port_file, int count) {
    const Name name = name_of(address, read_port(port_file));
    for (int i = 0; i < count - 1; ++i) connect_to(name);
    for (;;) pause();
}

double per_event_ns(const Load& load, int events, bool waits) {
    epoll_event told[kRoom];
    char byte = 'x';
    const double begin_ns = now_ns();
    for (int i = 0; i < events; ++i) {
        if (send(load.near, &byte, 1, MSG_NOSIGNAL) != 1) fail("send");
        if (waits && (epoll_wait(load.set, told, kRoom, -1) != 1 || told[0].data.fd != load.far))
            fail("epoll_wait");
        if (recv(load.far, &byte, 1, 0) != 1) fail("recv");
    }
    return (now_ns() - begin_ns) / events;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string role = argc > 1 ? argv[1] : "";
    if (!(role == "measure" && argc == 6) && !(role == "hold" && argc == 5)) {
        fprintf(stderr,
                "usage: epoll_load measure ADDRESS PORT_FILE COUNT EVENTS | hold ADDRESS PORT_FILE COUNT\n");
        return 2;
    }
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (role == "hold") hold(argv[2], argv[3], atoi(argv[4]));
    const Load load = make_load(argv[2], argv[3], atoi(argv[4]));
    const int events = atoi(argv[5]);
    per_event_ns(load, events / 10, true);
    const double with = per_event_ns(load, events, true);
    const double without = per_event_ns(load, events, false);
    printf("%s %.1f %.1f\n", load.transports.word(), with, without);
    return 0;
}
