// Cases of epoll that sleep: who wakes the waiter, fairness, sets within sets.
#include <atomic>
#include <set>

#include "calls.hpp"

namespace {

int set_with(int fd, unsigned events) {
    const int set = epoll_create1(EPOLL_CLOEXEC);
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
    return set;
}

void show_wait(Side& side, const char* what, int set, int timeout_ms = kPatienceMs) {
    epoll_event event{};
    side.result(what, epoll_wait(set, &event, 1, timeout_ms));
    side.line("  %s", events_text(event.events).c_str());
}

void a_sleeping_wait_is_woken(Side& side) {
    const int fd = side.connection();
    if (!side.server) {
        for (int i = 0; i < 2; ++i) {
            usleep(30'000);
            send_bytes(side, fd, 10);
            side.meet();
        }
        usleep(30'000);
        close(fd);
        side.meet();
        return;
    }
    const int set = set_with(fd, EPOLLIN | EPOLLRDHUP);
    show_wait(side, "bytes", set, -1);
    receive_bytes(side, fd, 100);
    side.meet();
    epoll_event event{};
    const timespec patience{kPatienceMs / 1000, 0};
    side.result("epoll_pwait2", epoll_pwait2(set, &event, 1, &patience, nullptr));
    receive_bytes(side, fd, 100);
    side.meet();
    show_wait(side, "the end", set, -1);
    side.meet();
}

void a_listener_in_a_set(Side& side) {
    if (!side.server) {
        const std::uint64_t port = side.exchange(0);
        usleep(30'000);
        const int fd = side.connect_to(port);
        side.meet();
        const int other = side.connect_to(port);
        side.meet();
        send_bytes(side, fd, 3);
        send_bytes(side, other, 4);
        side.meet();
        return;
    }
    const Listening listener = side.listening();
    fcntl(listener.fd, F_SETFL, O_NONBLOCK);
    const int set = set_with(listener.fd, EPOLLIN);
    side.exchange(listener.port);
    show_wait(side, "the first caller", set, -1);
    const int fd = side.accepted(listener);
    show_wait(side, "nobody", set, 30);
    side.meet();
    show_wait(side, "the second caller", set);
    const int other = side.accepted(listener);
    side.result("accept", accept(listener.fd, nullptr, nullptr));
    side.meet();
    receive_bytes(side, fd, 10);
    receive_bytes(side, other, 10);
    side.meet();
}

void everybody_gets_a_turn(Side& side) {
    constexpr int kCount = 5;
    std::vector<int> fds;
    const int set = epoll_create1(EPOLL_CLOEXEC);
    if (!side.server) {
        const std::uint64_t port = side.exchange(0);
        for (int i = 0; i < kCount; ++i) {
            fds.push_back(side.connect_to(port));
            send_bytes(side, fds.back(), 10);
        }
        side.meet();
        side.meet();
        return;
    }
    const Listening listener = side.offered();
    for (int i = 0; i < kCount; ++i) {
        fds.push_back(side.accepted(listener));
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u32 = static_cast<std::uint32_t>(i);
        epoll_ctl(set, EPOLL_CTL_ADD, fds.back(), &event);
    }
    int ends[2];
    side.must("pipe", pipe(ends));
    side.result("write", write(ends[1], "x", 1));
    epoll_event pipe_event{};
    pipe_event.events = EPOLLIN;
    pipe_event.data.u32 = kCount;
    epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &pipe_event);
    side.meet();
    for (int fd : fds) await_bytes(fd, 10);
    std::set<std::uint32_t> seen;
    for (int turn = 0; turn < 4 * kCount; ++turn) {
        epoll_event event{};
        if (epoll_wait(set, &event, 1, kPatienceMs) == 1) seen.insert(event.data.u32);
    }
    side.line("%zu of %d, none of which was read", seen.size(), kCount + 1);
    side.meet();
}

void a_set_can_be_polled(Side& side) {
    const int fd = side.connection();
    const int set = set_with(fd, EPOLLIN);
    pollfd item{set, POLLIN, 0};
    side.result("poll of the set", poll(&item, 1, 0));
    side.meet();
    if (!side.server) {
        usleep(30'000);
        send_bytes(side, fd, 10);
        side.meet();
        return;
    }
    side.result("poll of the set", poll(&item, 1, 2000));
    side.line("%s", events_text(static_cast<unsigned short>(item.revents)).c_str());
    show_wait(side, "wait", set, 0);
    side.result("poll of the set", poll(&item, 1, 0));
    receive_bytes(side, fd, 10);
    side.result("poll of the set", poll(&item, 1, 0));
    side.meet();
}

void a_set_can_be_in_a_set(Side& side) {
    const int fd = side.connection();
    const int inner = set_with(fd, EPOLLIN);
    const int outer = set_with(inner, EPOLLIN);
    show_wait(side, "nothing", outer, 0);
    side.meet();
    if (!side.server) {
        usleep(30'000);
        send_bytes(side, fd, 10);
        side.meet();
        return;
    }
    show_wait(side, "outer", outer, 2000);
    show_wait(side, "inner", inner, 0);
    receive_bytes(side, fd, 10);
    show_wait(side, "outer", outer, 0);
    side.meet();
}

void one_waiter_of_several_takes_an_edge(Side& side) {
    const int fd = side.connection();
    if (!side.server) {
        for (int i = 0; i < 20; ++i) {
            send_bytes(side, fd, 10);
            char answer;
            side.must("recv", static_cast<int>(recv(fd, &answer, 1, 0)));
        }
        return;
    }
    const int set = set_with(fd, EPOLLIN | EPOLLET | EPOLLONESHOT);
    int pipe_ends[2];
    side.must("pipe", pipe(pipe_ends));
    epoll_event stop{};
    stop.events = EPOLLIN;
    stop.data.fd = -1;
    epoll_ctl(set, EPOLL_CTL_ADD, pipe_ends[0], &stop);
    std::atomic<int> taken{0};
    const auto work = [&] {
        epoll_event event{};
        while (epoll_wait(set, &event, 1, -1) == 1 && event.data.fd >= 0) {
            char bytes[10];
            if (recv(fd, bytes, sizeof bytes, MSG_WAITALL) != 10) return;  // the end, once it is all taken
            ++taken;
            event.events = EPOLLIN | EPOLLET | EPOLLONESHOT;
            event.data.fd = fd;
            epoll_ctl(set, EPOLL_CTL_MOD, fd, &event);
            send(fd, "", 1, MSG_NOSIGNAL);
        }
    };
    std::thread threads[3] = {std::thread(work), std::thread(work), std::thread(work)};
    while (taken < 20) usleep(1000);
    side.result("write", write(pipe_ends[1], "x", 1));
    for (std::thread& thread : threads) thread.join();
    side.line("taken %d", taken.load());
}

constexpr Case kCases[] = {
    {"a_sleeping_wait_is_woken", a_sleeping_wait_is_woken},
    {"a_listener_in_a_set", a_listener_in_a_set},
    {"everybody_gets_a_turn", everybody_gets_a_turn},
    {"a_set_can_be_polled", a_set_can_be_polled},
    {"a_set_can_be_in_a_set", a_set_can_be_in_a_set},
    {"one_waiter_of_several_takes_an_edge", one_waiter_of_several_takes_an_edge},
};

}  // namespace

int main(int argc, char** argv) { return run_cases(kCases, argc, argv); }
