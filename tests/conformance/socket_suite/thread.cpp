// Cases of threads: closing what another thread sleeps on, very many of them.
#include <pthread.h>
#include <sys/resource.h>

#include <atomic>

#include "calls.hpp"

namespace {

constexpr int kUntilAsleepUs = 50'000;

// close() takes the number away; the call that sleeps goes on, and the connection with it.
void close_under_a_sleeping_recv(Side& side) {
    const int fd = side.connection();
    if (!side.server) {
        side.meet();
        show_poll(side, fd);
        send_bytes(side, fd, 5);
        side.meet();
        await(fd, POLLRDHUP);
        show_poll(side, fd);
        return side.meet();
    }
    char bytes[5];
    ssize_t got = -2;
    std::thread reader([&] { got = recv(fd, bytes, sizeof bytes, 0); });
    usleep(kUntilAsleepUs);
    side.result("close", close(fd));
    usleep(kUntilAsleepUs);
    side.line("still asleep: %d", got == -2);
    side.meet();
    reader.join();
    show_received(side, "recv", got, bytes);
    side.meet();
    side.meet();
}

void close_under_a_sleeping_send(Side& side) {
    const int fd = side.connection();
    if (!side.server) {
        const std::uint64_t filled = side.exchange(0);
        side.line("came: %d", drain(fd, filled + 1000) == filled + 1000);
        receive_bytes(side, fd, 1);
        return side.meet();
    }
    const std::uint64_t filled = fill(fd);
    const std::string bytes = pattern(1000);
    ssize_t sent = -2;
    std::thread writer([&] { sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL); });
    usleep(kUntilAsleepUs);
    side.result("close", close(fd));
    usleep(kUntilAsleepUs);
    side.line("still asleep: %d", sent == -2);
    side.exchange(filled);
    writer.join();
    side.result("send", sent);
    side.meet();
}

void close_under_a_sleeping_accept(Side& side) {
    if (!side.server) {
        const std::uint64_t port = side.exchange(0);
        const int fd = side.connect_to(port);
        side.meet();
        receive_bytes(side, fd, 1);
        Name name = name_of(side.address, port);
        const int late = socket(name.storage.ss_family, SOCK_STREAM, 0);
        side.result("connect afterwards", connect(late, name.get(), name.length));
        return side.meet();
    }
    const Listening listener = side.listening();
    int fd = -2;
    std::thread acceptor([&] { fd = accept(listener.fd, nullptr, nullptr); });
    usleep(kUntilAsleepUs);
    side.result("close", close(listener.fd));
    usleep(kUntilAsleepUs);
    side.line("still asleep: %d", fd == -2);
    side.exchange(listener.port);
    acceptor.join();
    side.line("accepted: %d", fd >= 0);
    side.note_transport(fd);
    side.meet();
    close(fd);
    side.meet();
}

void close_under_a_sleeping_poll(Side& side) {
    const int fd = side.connection();
    if (!side.server) {
        side.meet();
        send_bytes(side, fd, 5);
        return side.meet();
    }
    pollfd item{fd, POLLIN, 0};
    int ready = -2;
    std::thread poller([&] { ready = poll(&item, 1, kPatienceMs); });
    usleep(kUntilAsleepUs);
    side.result("close", close(fd));
    side.meet();
    poller.join();
    side.line("poll = %d %s", ready, events_text(static_cast<unsigned short>(item.revents)).c_str());
    side.meet();
}

void shutdown_under_sleeping_calls(Side& side) {
    const int fd = side.connection();
    if (!side.server) {
        receive_bytes(side, fd, 1);
        return side.meet();
    }
    char byte;
    ssize_t got = -2;
    std::thread reader([&] { got = recv(fd, &byte, 1, 0); });
    usleep(kUntilAsleepUs);
    side.result("shutdown", shutdown(fd, SHUT_RDWR));
    reader.join();
    side.result("recv", got);
    side.meet();
}

void dup2_over_what_a_thread_sleeps_on(Side& side) {
    const int fd = side.connection();
    if (!side.server) {
        side.meet();
        send_bytes(side, fd, 5);
        receive_bytes(side, fd, 1);
        return side.meet();
    }
    char bytes[5];
    ssize_t got = -2;
    std::thread reader([&] { got = recv(fd, bytes, sizeof bytes, MSG_WAITALL); });
    usleep(kUntilAsleepUs);
    const int null = open("/dev/null", O_RDWR);
    side.line("dup2 %d", dup2(null, fd) == fd);
    side.result("send", send(fd, "x", 1, MSG_NOSIGNAL));
    side.meet();
    reader.join();
    show_received(side, "recv", got, bytes);
    side.meet();
}

void a_thousand_threads(Side& side) {
    constexpr int kThreads = 1000;
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    std::atomic<int> good{0};
    std::vector<std::thread> threads;
    std::vector<int> fds;
    const auto talk = [&good, &side](int fd, int number) {
        char bytes[100];
        const std::string own = pattern(sizeof bytes, static_cast<std::uint64_t>(number));
        bool all_well = true;
        for (int round = 0; round < 3 && all_well; ++round) {
            if (!side.server) all_well = send(fd, own.data(), own.size(), MSG_NOSIGNAL) == sizeof bytes;
            all_well = all_well && recv(fd, bytes, sizeof bytes, MSG_WAITALL) == sizeof bytes;
            if (side.server)
                all_well = all_well && send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) == sizeof bytes;
            if (!side.server) all_well = all_well && memcmp(bytes, own.data(), sizeof bytes) == 0;
        }
        if (all_well) ++good;
    };
    const Listening listener = side.server ? side.listening(1024) : Listening{-1, 0};
    const std::uint64_t port = side.exchange(listener.port);
    for (int i = 0; i < kThreads; ++i) {
        const int fd =
            side.server ? side.must("accept", accept(listener.fd, nullptr, nullptr)) : side.connect_to(port);
        if (side.server) side.note_transport(fd);
        fds.push_back(fd);
        if (side.server) threads.emplace_back(talk, fd, i);
    }
    side.meet();
    for (int i = 0; i < kThreads && !side.server; ++i) {
        threads.emplace_back(talk, fds[static_cast<std::size_t>(i)], i);
    }
    for (std::thread& thread : threads) thread.join();
    side.line("all went well: %d", good == kThreads);
    side.meet();
}

constexpr Case kCases[] = {
    {"close_under_a_sleeping_recv", close_under_a_sleeping_recv},
    {"close_under_a_sleeping_send", close_under_a_sleeping_send},
    {"close_under_a_sleeping_accept", close_under_a_sleeping_accept},
    {"close_under_a_sleeping_poll", close_under_a_sleeping_poll},
    {"shutdown_under_sleeping_calls", shutdown_under_sleeping_calls},
    {"dup2_over_what_a_thread_sleeps_on", dup2_over_what_a_thread_sleeps_on},
    {"a_thousand_threads", a_thousand_threads, true},
};

}  // namespace

int main(int argc, char** argv) { return run_cases(kCases, argc, argv); }
