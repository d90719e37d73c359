// Messages of 64 bytes there and back over one connection, for tests of what wakes the two ends.
//
//   round_trips answer ADDRESS PORT_FILE [-e]    accepts one connection and echoes until it ends; asleep in
//                                                recv, or (-e) in epoll_wait
//   round_trips ask ADDRESS PORT_FILE COUNT      prints `TRANSPORT NANOSECONDS`, the median of a round trip
//   round_trips storm ADDRESS PORT_FILE SECONDS  rings all event channels that it has for so long between two
//                                                round trips, which says nothing to the other end, and closes
//                                                them before the last ones; prints `TRANSPORT RINGS`
//
// PORT_FILE: the answering side writes the port there. At the end it prints `TRANSPORT SLEEPS MILLISECONDS`,
// of its longest wait for a message: how often it slept in it, and how long it took.
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "rendezvous.hpp"
#include "transports.hpp"

using domid_t = std::uint16_t;  // evtchn.h leaves it to whoever includes it
#include <xen/evtchn.h>

namespace {

constexpr std::size_t kMessageBytes = 64;
constexpr int kKickedTrips = 3;
constexpr useconds_t kQuietUs = 100'000;

std::uint64_t now_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

long sleeps_so_far() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nvcsw;
}

bool receive_all(int fd, char* message) {
    std::size_t had = 0;
    while (had < kMessageBytes) {
        const ssize_t got = recv(fd, message + had, kMessageBytes - had, 0);
        if (got < 0) fail("recv");
        if (got == 0) return false;
        had += static_cast<std::size_t>(got);
    }
    return true;
}

void send_all(int fd, const char* message) {
    if (send(fd, message, kMessageBytes, MSG_NOSIGNAL) != static_cast<ssize_t>(kMessageBytes)) fail("send");
}

void await_readable(int set) {
    epoll_event event{};
    if (epoll_wait(set, &event, 1, -1) != 1) fail("epoll_wait");
}

int answer(const char* address, const char* port_file, bool by_epoll) {
    const int listener = listen_at(name_of(address, 0), port_file, 1);
    const int fd = accept(listener, nullptr, nullptr);
    if (fd < 0) fail("accept");
    const int set = epoll_create1(0);
    epoll_event event{};
    event.events = EPOLLIN;
    if (by_epoll && epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
    const char* transport = transport_of(fd);
    char message[kMessageBytes];
    std::uint64_t longest_ns = 0;
    long sleeps = 0;
    for (;;) {
        const std::uint64_t start_ns = now_ns();
        const long slept_before = sleeps_so_far();
        if (by_epoll) await_readable(set);
        const bool is_there = receive_all(fd, message);
        const std::uint64_t waited_ns = now_ns() - start_ns;
        if (waited_ns > longest_ns) {
            longest_ns = waited_ns;
            sleeps = sleeps_so_far() - slept_before;
        }
        if (!is_there) break;
        send_all(fd, message);
    }
    close(fd);
    printf("%s %ld %llu\n", transport, sleeps, static_cast<unsigned long long>(longest_ns / 1'000'000));
    return 0;
}

std::uint64_t round_trip(int fd, int number) {
    char sent[kMessageBytes];
    char got[kMessageBytes];
    memset(sent, 'a' + number % 26, sizeof sent);
    const std::uint64_t start_ns = now_ns();
    send_all(fd, sent);
    if (!receive_all(fd, got) || memcmp(sent, got, sizeof got) != 0) fail("the echo");
    return now_ns() - start_ns;
}

int ask(const char* address, const char* port_file, int count) {
    const int fd = connect_to(name_of(address, read_port(port_file)));
    const char* transport = transport_of(fd);
    std::vector<std::uint64_t> times_ns;
    for (int i = 0; i < count; ++i) times_ns.push_back(round_trip(fd, i));
    close(fd);
    const auto middle = times_ns.begin() + count / 2;
    std::nth_element(times_ns.begin(), middle, times_ns.end());
    printf("%s %llu\n", transport, static_cast<unsigned long long>(*middle));
    return 0;
}

// The library's own, to which it has bound one port each.
struct Channel {
    int fd;
    unsigned port;
};

bool ring(const Channel& channel) {
    ioctl_evtchn_notify request{channel.port};
    return ioctl(channel.fd, IOCTL_EVTCHN_NOTIFY, &request) == 0;
}

void unbind(const Channel& channel) {
    ioctl_evtchn_unbind request{channel.port};
    ioctl(channel.fd, IOCTL_EVTCHN_UNBIND, &request);
}

std::vector<Channel> all_channels() {
    constexpr unsigned kMostPorts = 4096;
    std::vector<Channel> found;
    DIR* directory = opendir("/proc/self/fd");
    while (const dirent* entry = readdir(directory)) {
        char target[64] = {};
        const std::string path = std::string("/proc/self/fd/") + entry->d_name;
        if (readlink(path.c_str(), target, sizeof target - 1) < 0) continue;
        if (strcmp(target, "/dev/xen/evtchn") != 0) continue;
        for (unsigned port = 1; port < kMostPorts; ++port) {
            const Channel channel{atoi(entry->d_name), port};
            if (ring(channel)) found.push_back(channel);
        }
    }
    closedir(directory);
    return found;
}

// A kick is only needed where the other end sleeps, undisturbed by what rang before.
void kicked_round_trips(int fd) {
    for (int number = 0; number < kKickedTrips; ++number) {
        usleep(kQuietUs);
        round_trip(fd, number);
    }
}

int storm(const char* address, const char* port_file, int seconds) {
    const int fd = connect_to(name_of(address, read_port(port_file)));
    const char* transport = transport_of(fd);
    kicked_round_trips(fd);
    const std::vector<Channel> channels = all_channels();
    const std::uint64_t end_ns = now_ns() + static_cast<std::uint64_t>(seconds) * 1'000'000'000;
    unsigned long long rings = 0;
    while (now_ns() < end_ns) {
        for (const Channel& channel : channels) rings += ring(channel) ? 1 : 0;
    }
    for (const Channel& channel : channels) unbind(channel);
    kicked_round_trips(fd);
    close(fd);
    printf("%s %llu\n", transport, rings);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string verb = argc > 3 ? argv[1] : "";
    if (verb == "answer" && (argc == 4 || (argc == 5 && strcmp(argv[4], "-e") == 0)))
        return answer(argv[2], argv[3], argc == 5);
    if (verb == "ask" && argc == 5) return ask(argv[2], argv[3], atoi(argv[4]));
    if (verb == "storm" && argc == 5) return storm(argv[2], argv[3], atoi(argv[4]));
    fprintf(stderr,
            "usage: round_trips answer ADDRESS PORT_FILE [-e] | ask ADDRESS PORT_FILE COUNT | "
            "storm ADDRESS PORT_FILE SECONDS\n");
    return 2;
}
