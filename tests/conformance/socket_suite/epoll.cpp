// Cases of epoll: triggers, changes of the set, and sockets beside other descriptors.
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include "epoll_calls.hpp"

namespace {

// Each call is a line of the transcript.
class Set {
  public:
    explicit Set(Side& side) : side_(side), fd_(new_set()) {}
    ~Set() { close(fd_); }
    Set(const Set&) = delete;
    Set& operator=(const Set&) = delete;
    int fd() const { return fd_; }

    void control(const char* what, int operation, int fd, unsigned events, std::uint64_t data = 0) {
        side_.result(what, ::control(fd_, operation, fd, events, data));
    }
    void wait(const char* what, int timeout_ms, int room = 16) {
        show_wait(side_, what, fd_, timeout_ms, room);
    }

  private:
    Side& side_;
    int fd_;
};

void level_triggered_repeats(Side& side) {
    const int fd = side.connection();
    Set set(side);
    if (side.server) {
        set.control("add", EPOLL_CTL_ADD, fd, EPOLLIN, 0xABCDEF0123456789);
        set.wait("nothing", kQuietMs);
    }
    send_to_server(side, fd, 10, 10);
    if (side.server) {
        set.wait("first", kPatienceMs);
        set.wait("again", kPatienceMs);
        receive_bytes(side, fd, 4);
        set.wait("some left", kPatienceMs);
        receive_bytes(side, fd, 6);
        set.wait("empty", kQuietMs);
    }
    side.meet();
}

void edge_triggered_tells_once(Side& side) {
    const int fd = side.connection();
    Set set(side);
    if (side.server) {
        set.control("add", EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLET, 1);
        set.wait("nothing", kQuietMs);
    }
    send_to_server(side, fd, 10, 10);
    if (side.server) {
        set.wait("first", kPatienceMs);
        set.wait("not again", kQuietMs);
    }
    send_to_server(side, fd, 10, 20);
    if (side.server) {
        set.wait("more bytes", kPatienceMs);
        set.wait("not again", kQuietMs);
        receive_bytes(side, fd, 15);
        set.wait("partly read", kQuietMs);
        receive_bytes(side, fd, 5);
    }
    send_to_server(side, fd, 10, 10);
    if (side.server) {
        set.wait("after reading all", kPatienceMs);
        set.control("mod", EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLET, 2);
        set.wait("rearmed by mod", kPatienceMs);
        set.wait("not again", kQuietMs);
    }
    side.meet();
}

void edge_triggered_room(Side& side) {
    const int fd = side.connection(SOCK_NONBLOCK);
    if (side.server) {
        fcntl(fd, F_SETFL, 0);
        const std::uint64_t size = side.exchange(0);
        side.line("all came: %d", drain(fd, size) == size);
        side.meet();
        return;
    }
    Set set(side);
    set.control("add", EPOLL_CTL_ADD, fd, EPOLLOUT | EPOLLET, 1);
    set.wait("writable", kPatienceMs);
    set.wait("not again", kQuietMs);
    const std::size_t size = fill(fd);
    set.wait("full", kQuietMs);
    side.exchange(size);
    set.wait("room", kPatienceMs);
    side.meet();
}

void oneshot_fires_once_until_rearmed(Side& side) {
    const int fd = side.connection();
    Set set(side);
    if (side.server) set.control("add", EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLONESHOT, 1);
    send_to_server(side, fd, 10, 10);
    if (side.server) {
        set.wait("first", kPatienceMs);
        set.wait("disabled", kQuietMs);
    }
    send_to_server(side, fd, 10, 20);
    if (side.server) {
        set.wait("still disabled", kQuietMs);
        set.control("add again", EPOLL_CTL_ADD, fd, EPOLLIN, 1);
        set.control("rearm", EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLONESHOT, 2);
        set.wait("rearmed", kPatienceMs);
        set.wait("disabled", kQuietMs);
    }
    side.meet();
}

void the_set_can_be_changed(Side& side) {
    const int fd = side.connection();
    send_to_server(side, fd, 10, 10);
    if (side.server) {
        Set set(side);
        set.control("mod before add", EPOLL_CTL_MOD, fd, EPOLLIN);
        set.control("del before add", EPOLL_CTL_DEL, fd, 0);
        set.control("add", EPOLL_CTL_ADD, fd, EPOLLIN, 1);
        set.control("add twice", EPOLL_CTL_ADD, fd, EPOLLIN, 1);
        set.control("add nothing", EPOLL_CTL_ADD, 999, EPOLLIN, 1);
        set.control("add itself", EPOLL_CTL_ADD, set.fd(), EPOLLIN, 1);
        set.control("nonsense", 77, fd, EPOLLIN, 1);
        set.wait("readable", kPatienceMs);
        set.control("mod", EPOLL_CTL_MOD, fd, EPOLLOUT, 2);
        set.wait("writable", kPatienceMs);
        set.control("mod to nothing", EPOLL_CTL_MOD, fd, 0, 3);
        set.wait("nothing", kQuietMs);
        set.control("mod to both", EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP, 4);
        set.wait("both", kPatienceMs);
        set.control("del", EPOLL_CTL_DEL, fd, 0);
        set.control("del twice", EPOLL_CTL_DEL, fd, 0);
        set.wait("nothing", kQuietMs);
        epoll_event event;
        side.result("no room", epoll_wait(set.fd(), &event, 0, 0));
        side.result("not a set", epoll_wait(fd, &event, 1, 0));
    }
    side.meet();
}

void closing_takes_out_of_the_set(Side& side) {
    const int fd = side.connection();
    send_to_server(side, fd, 10, 10);
    if (side.server) {
        Set set(side);
        set.control("add", EPOLL_CTL_ADD, fd, EPOLLIN, 1);
        const int other = dup(fd);
        close(fd);
        set.wait("another descriptor names it", kPatienceMs);
        close(other);
        set.wait("closed", kQuietMs);
    }
    side.meet();
}

void a_socket_is_added_before_it_connects(Side& side) {
    if (side.server) {
        const Listening listener = side.offered();
        const int fd = side.accepted(listener);
        side.meet();
        send_bytes(side, fd, 10);
        side.meet();
        close(fd);
        side.meet();
        return;
    }
    Name name = name_of(side.address, side.exchange(0));
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    Set set(side);
    set.control("add", EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP, 0x77);
    set.wait("fresh", kPatienceMs);
    side.result("connect", connect(fd, name.get(), name.length));
    side.line("writable: %d", await(fd, POLLOUT));
    set.wait("connected", kPatienceMs);
    show_socket_error(side, fd);
    side.note_transport(fd);
    set.control("mod", EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLRDHUP, 0x78);
    set.wait("idle", kQuietMs);
    side.meet();
    set.wait("bytes", kPatienceMs);
    receive_bytes(side, fd, 10);
    side.meet();
    side.meet();
    set.wait("closed by the peer", kPatienceMs);
    set.control("del", EPOLL_CTL_DEL, fd, 0);
}

void other_descriptors_in_the_set(Side& side) {
    const int fd = side.connection();
    int ends[2];
    side.must("pipe", pipe(ends));
    const int event = eventfd(0, 0);
    const int timer = timerfd_create(CLOCK_MONOTONIC, 0);
    Set set(side);
    set.control("add socket", EPOLL_CTL_ADD, fd, EPOLLIN, 1);
    set.control("add pipe", EPOLL_CTL_ADD, ends[0], EPOLLIN, 2);
    set.control("add eventfd", EPOLL_CTL_ADD, event, EPOLLIN, 3);
    set.control("add timer", EPOLL_CTL_ADD, timer, EPOLLIN | EPOLLET, 4);
    set.wait("nothing", kQuietMs);
    const itimerspec soon{{0, 0}, {0, 20'000'000}};
    timerfd_settime(timer, 0, &soon, nullptr);
    set.wait("the timer", kPatienceMs);
    side.result("write to the pipe", write(ends[1], "x", 1));
    set.wait("the pipe", kPatienceMs);
    side.meet();
    send_bytes(side, fd, 10);
    side.meet();
    await_bytes(fd, 10);
    eventfd_write(event, 1);
    set.wait("pipe, eventfd and socket", kPatienceMs);
    set.control("del pipe", EPOLL_CTL_DEL, ends[0], 0);
    set.control("del pipe twice", EPOLL_CTL_DEL, ends[0], 0);
    set.wait("eventfd and socket", kPatienceMs);
    side.meet();
}

constexpr Case kCases[] = {
    {"level_triggered_repeats", level_triggered_repeats},
    {"edge_triggered_tells_once", edge_triggered_tells_once},
    {"edge_triggered_room", edge_triggered_room},
    {"oneshot_fires_once_until_rearmed", oneshot_fires_once_until_rearmed},
    {"the_set_can_be_changed", the_set_can_be_changed, true},
    {"closing_takes_out_of_the_set", closing_takes_out_of_the_set, true},
    {"a_socket_is_added_before_it_connects", a_socket_is_added_before_it_connects},
    {"other_descriptors_in_the_set", other_descriptors_in_the_set},
};

}  // namespace

int main(int argc, char** argv) { return run_cases(kCases, argc, argv); }
