// Cases of ring sockets beside descriptors of every other kind, in one call; edges and partial reads; room.
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "epoll_calls.hpp"

namespace {

// Whatever carries the bytes of others, this pair is the kernel's: it never leaves this process.
struct LoopbackPair {
    int near = -1;
    int far = -1;
};

LoopbackPair loopback_pair(Side& side) {
    LoopbackPair pair;
    Name name = name_of("127.0.0.1", 0);
    const int listener = side.must("socket", socket(AF_INET, SOCK_STREAM, 0));
    side.must("bind", bind(listener, name.get(), name.length));
    side.must("listen", listen(listener, 1));
    name = local_name(listener);
    pair.near = side.must("socket", socket(AF_INET, SOCK_STREAM, 0));
    side.must("connect", connect(pair.near, name.get(), name.length));
    pair.far = side.must("accept", accept(listener, nullptr, nullptr));
    close(listener);
    return pair;
}

class Zoo {
  public:
    explicit Zoo(Side& side) : side_(side), loopback_(loopback_pair(side)) {
        side.must("pipe", pipe2(pipe_, O_NONBLOCK));
        event_ = eventfd(0, EFD_NONBLOCK);
        timer_ = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
        sigset_t usr1;
        sigemptyset(&usr1);
        sigaddset(&usr1, SIGUSR1);
        pthread_sigmask(SIG_BLOCK, &usr1, nullptr);
        signal_ = signalfd(-1, &usr1, SFD_NONBLOCK);
    }
    static constexpr int kKinds = 5;
    int fd(int kind) const {
        const int fds[kKinds] = {loopback_.near, pipe_[0], event_, timer_, signal_};
        return fds[kind];
    }
    void make_ready(int kind) {
        const itimerspec soon{{0, 0}, {0, 1'000'000}};
        if (kind == 0) send(loopback_.far, "x", 1, 0);
        if (kind == 1) side_.must("write", static_cast<int>(write(pipe_[1], "x", 1)));
        if (kind == 2) eventfd_write(event_, 1);
        if (kind == 3) timerfd_settime(timer_, 0, &soon, nullptr);
        if (kind == 4) pthread_kill(pthread_self(), SIGUSR1);
    }
    void read_out(int kind) {
        char bytes[256];
        side_.must("read", static_cast<int>(read(fd(kind), bytes, sizeof bytes)));
    }

  private:
    Side& side_;
    LoopbackPair loopback_;
    int pipe_[2];
    int event_;
    int timer_;
    int signal_;
};

void every_kind_wakes_a_poll(Side& side) {
    const int fd = side.connection();
    Zoo zoo(side);
    pollfd items[Zoo::kKinds + 1];
    for (int i = 0; i < Zoo::kKinds; ++i) items[i] = {zoo.fd(i), POLLIN, 0};
    items[Zoo::kKinds] = {fd, POLLIN, 0};
    const auto show = [&](const char* what) {
        side.result(what, poll(items, Zoo::kKinds + 1, kPatienceMs));
        for (const pollfd& item : items)
            side.line("  %s", events_text(static_cast<unsigned short>(item.revents)).c_str());
    };
    for (int kind = 0; kind < Zoo::kKinds; ++kind) {
        zoo.make_ready(kind);
        show("poll");
        zoo.read_out(kind);
    }
    send_later(side, fd, 10);
    if (side.server) {
        show("the connection");
        for (int kind = 0; kind < Zoo::kKinds; ++kind) {
            zoo.make_ready(kind);
            await(zoo.fd(kind), POLLIN);
        }
        show("everything");
    }
    side.meet();
}

void every_kind_wakes_a_set(Side& side) {
    const int fd = side.connection();
    Zoo zoo(side);
    const int set = set_with(fd, EPOLLIN, 99);
    for (int i = 0; i < Zoo::kKinds; ++i)
        control(set, EPOLL_CTL_ADD, zoo.fd(i), i % 2 == 0 ? EPOLLIN : EPOLLIN | EPOLLET,
                static_cast<unsigned>(i));
    for (int kind = 0; kind < Zoo::kKinds; ++kind) {
        zoo.make_ready(kind);
        show_wait(side, "wait", set, kPatienceMs);
        zoo.read_out(kind);
        show_wait(side, "nothing", set, 0);
    }
    send_later(side, fd, 10);
    if (side.server) {
        show_wait(side, "the connection", set, kPatienceMs);
        for (int kind = 0; kind < Zoo::kKinds; ++kind) {
            zoo.make_ready(kind);
            await(zoo.fd(kind), POLLIN);
        }
        show_wait(side, "everything", set, kPatienceMs);
        show_wait(side, "what is level-triggered", set, kPatienceMs);
        receive_bytes(side, fd, 10);
        show_wait(side, "all but the connection", set, kPatienceMs);
    }
    side.meet();
}

void edges_and_partial_reads(Side& side) {
    const int fd = side.connection(SOCK_NONBLOCK);
    const int set = set_with(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, 1);
    if (side.server) show_wait(side, "writable", set, kPatienceMs);
    for (int round = 1; round <= 3; ++round) {
        send_to_server(side, fd, 100, 100);
        if (!side.server) continue;
        show_wait(side, "bytes", set, kPatienceMs);
        receive_bytes(side, fd, 40);
        show_wait(side, "partly read", set, kQuietMs);
        receive_bytes(side, fd, 100);
        receive_bytes(side, fd, 100);
        show_wait(side, "all read", set, kQuietMs);
    }
    side.meet();
    if (!side.server) shutdown(fd, SHUT_WR);
    side.meet();
    if (side.server) {
        await(fd, POLLRDHUP);
        show_wait(side, "half closed", set, kPatienceMs);
        show_wait(side, "not again", set, kQuietMs);
        receive_bytes(side, fd, 10);
        show_wait(side, "nor after reading", set, kQuietMs);
    }
    side.meet();
    if (!side.server) close(fd);
    side.meet();
}

// Full, drained, full again: one edge each time that there is room, and none while there is none.
void edges_of_room(Side& side) {
    const int fd = side.connection(SOCK_NONBLOCK);
    if (side.server) {
        fcntl(fd, F_SETFL, 0);
        for (int round = 0; round < 3; ++round) {
            const std::uint64_t size = side.exchange(0);
            side.line("all came: %d", drain(fd, size) == size);
        }
        side.meet();
        return;
    }
    const int edge = set_with(fd, EPOLLOUT | EPOLLET, 1);
    const int once = set_with(fd, EPOLLOUT | EPOLLONESHOT, 2);
    const int level = set_with(fd, EPOLLOUT, 3);
    for (int round = 0; round < 3; ++round) {
        for (int set : {edge, once, level}) show_wait(side, "room", set, kPatienceMs);
        side.result("rearm", control(once, EPOLL_CTL_MOD, fd, EPOLLOUT | EPOLLONESHOT, 2));
        const std::size_t size = fill(fd);
        for (int set : {edge, once, level}) show_wait(side, "full", set, kQuietMs);
        side.exchange(size);
        side.line("drained: %d", await(fd, POLLOUT));
    }
    side.meet();
}

void ends_and_errors_in_sets(Side& side) {
    const int fd = side.connection();
    const int nothing = set_with(fd, 0, 1);
    const int hang_up = set_with(fd, EPOLLRDHUP, 2);
    const int edge = set_with(fd, EPOLLIN | EPOLLRDHUP | EPOLLET, 3);
    const int once = set_with(fd, EPOLLONESHOT, 4);
    const auto show = [&](const char* state) {
        side.line("-- %s", state);
        for (int set : {nothing, hang_up, edge, once}) show_wait(side, "wait", set, kQuietMs);
    };
    if (!side.server) {
        show("idle");
        side.meet();
        await(fd, POLLRDHUP);
        show("half closed");
        side.meet();
        send_bytes(side, fd, 10);
        side.meet();
        await(fd, POLLERR);
        show("reset");
        show_socket_error(side, fd);
        show("error taken");
        side.meet();
        return;
    }
    shutdown(fd, SHUT_WR);
    side.meet();
    side.meet();
    await_bytes(fd, 10);
    close(fd);
    side.meet();
    side.meet();
}

void select_and_its_arguments(Side& side) {
    const int fd = side.connection();
    fd_set in, out, error;
    const auto fill_sets = [&] {
        for (fd_set* set : {&in, &out, &error}) {
            FD_ZERO(set);
            FD_SET(fd, set);
        }
    };
    const volatile int negative = -1;
    timeval none{}, nonsense{0, 2'000'000}, negative_time{0, -1};
    fill_sets();
    side.result("less than no descriptors", select(negative, &in, &out, &error, &none));
    side.result("no descriptors", select(0, &in, &out, &error, &none));
    fill_sets();
    side.result("below it", select(fd, &in, &out, &error, &none));
    fill_sets();
    side.result("two million microseconds", select(fd + 1, &in, &out, &error, &nonsense));
    fill_sets();
    side.result("less than none", select(fd + 1, &in, &out, &error, &negative_time));
    fill_sets();
    FD_SET(fd + 100, &in);
    side.result("with a closed one", select(fd + 101, &in, &out, &error, &none));
    fill_sets();
    side.result("one of three", select(fd + 1, nullptr, &out, nullptr, &none));
    side.line("%d", FD_ISSET(fd, &out));
    pollfd items[2] = {{fd, POLLIN, 0}, {900, POLLIN, 0}};
    side.result("poll with a closed one", poll(items, 2, kPatienceMs));
    side.line("%s", events_text(static_cast<unsigned short>(items[1].revents)).c_str());
    side.result("poll of nothing", poll(nullptr, 0, 1));
    side.meet();
}

void a_poll_of_too_many(Side& side) {
    const int fd = side.connection();
    pollfd items[2] = {{fd, POLLIN, 0}, {900, POLLIN, 0}};
    const volatile nfds_t too_many = 1U << 30;
    side.result("poll of too many", poll(items, too_many, 0));
    side.meet();
}

// As many as there may be descriptors, of which most are none.
void as_many_items_as_the_limit_allows(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        rlimit limit{};
        getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = std::min<rlim_t>(limit.rlim_cur, 1024);
        setrlimit(RLIMIT_NOFILE, &limit);
        std::vector<pollfd> items(limit.rlim_cur, pollfd{-1, POLLIN, 0});
        items[limit.rlim_cur / 2] = {fd, POLLIN, 0};
        side.result("poll", poll(items.data(), items.size(), 10));
        side.meet();
        side.result("poll", poll(items.data(), items.size(), kPatienceMs));
        side.line("%s", events_text(static_cast<unsigned short>(items[limit.rlim_cur / 2].revents)).c_str());
        items.push_back({-1, 0, 0});
        side.result("poll of one more", poll(items.data(), items.size(), 0));
    } else {
        side.meet();
        usleep(30'000);
        send_bytes(side, fd, 10);
    }
    side.meet();
}

constexpr Case kCases[] = {
    {"every_kind_wakes_a_poll", every_kind_wakes_a_poll},
    {"every_kind_wakes_a_set", every_kind_wakes_a_set},
    {"edges_and_partial_reads", edges_and_partial_reads},
    {"edges_of_room", edges_of_room},
    {"ends_and_errors_in_sets", ends_and_errors_in_sets},
    {"select_and_its_arguments", select_and_its_arguments, true},
    {"a_poll_of_too_many", a_poll_of_too_many},
    {"as_many_items_as_the_limit_allows", as_many_items_as_the_limit_allows, true},
};

}  // namespace

int main(int argc, char** argv) { return run_cases(kCases, argc, argv); }
