// Cases of membership in epoll sets: numbers and what they name, several sets, arguments that are refused.
#include <sys/stat.h>

#include "epoll_calls.hpp"

namespace {

void one_socket_in_several_sets(Side& side) {
    const int fd = side.connection();
    const int level = set_with(fd, EPOLLIN, 1);
    const int edge = set_with(fd, EPOLLIN | EPOLLET, 2);
    const int once = set_with(fd, EPOLLIN | EPOLLOUT | EPOLLONESHOT, 3);
    const int room = set_with(fd, EPOLLOUT, 4);
    send_to_server(side, fd, 10, 10);
    if (side.server) {
        for (int round = 0; round < 2; ++round) {
            for (int set : {level, edge, once, room}) show_wait(side, "wait", set, kQuietMs);
        }
        side.result("del", control(level, EPOLL_CTL_DEL, fd, 0, 0));
        show_wait(side, "level", level, kQuietMs);
        show_wait(side, "room", room, kQuietMs);
    }
    send_to_server(side, fd, 10, 20);
    if (side.server) {
        for (int set : {level, edge, once, room}) show_wait(side, "wait", set, kQuietMs);
    }
    side.meet();
}

void copies_in_one_set(Side& side) {
    const int fd = side.connection();
    const int copy = dup(fd);
    const int set = set_with(fd, EPOLLIN, 1);
    side.result("add the copy", control(set, EPOLL_CTL_ADD, copy, EPOLLIN | EPOLLOUT, 2));
    side.result("add the copy again", control(set, EPOLL_CTL_ADD, copy, EPOLLIN, 2));
    send_to_server(side, fd, 10, 10);
    if (side.server) {
        show_wait(side, "both", set, kPatienceMs);
        side.result("mod the copy", control(set, EPOLL_CTL_MOD, copy, EPOLLOUT, 3));
        show_wait(side, "both", set, kPatienceMs);
        close(fd);
        show_wait(side, "the first is closed", set, kPatienceMs);
        side.result("mod the closed one", control(set, EPOLL_CTL_MOD, fd, EPOLLIN, 4));
        side.result("del the copy", control(set, EPOLL_CTL_DEL, copy, 0, 0));
        show_wait(side, "the copy is out", set, kPatienceMs);
        close(copy);
        show_wait(side, "closed", set, kQuietMs);
    }
    side.meet();
}

// A number that is closed while a copy lives on stays in the set, and the number may come back as another
// one.
void a_number_comes_back(Side& side) {
    const int fd = side.connection();
    const int other = side.connection();
    const int set = set_with(fd, EPOLLIN, 1);
    send_to_server(side, fd, 10, 10);
    if (side.server) {
        const int copy = dup(fd);
        side.line("dup2 %d", dup2(other, fd) == fd);
        show_wait(side, "the old one", set, kPatienceMs);
        side.result("add the new one", control(set, EPOLL_CTL_ADD, fd, EPOLLOUT, 2));
        show_wait(side, "both", set, kPatienceMs);
        side.result("del", control(set, EPOLL_CTL_DEL, fd, 0, 0));
        show_wait(side, "the old one", set, kPatienceMs);
        close(copy);
        show_wait(side, "nobody", set, kQuietMs);
        side.result("add the new one", control(set, EPOLL_CTL_ADD, fd, EPOLLOUT, 3));
        show_wait(side, "the new one", set, kPatienceMs);
    }
    side.meet();
}

// A socket is added, fails to connect and is closed; the next one of that number was never added.
void a_failed_socket_leaves_nothing(Side& side) {
    if (side.server) {
        const Listening listener = side.offered();
        const int fd = side.accepted(listener);
        send_bytes(side, fd, 10);
        side.meet();
        return;
    }
    Name nobody = name_of(side.address, 1);
    const int set = new_set();
    const int first = socket(AF_INET, SOCK_STREAM, 0);
    side.result("add", control(set, EPOLL_CTL_ADD, first, EPOLLIN, 1));
    side.result("connect to nobody", connect(first, nobody.get(), nobody.length));
    close(first);
    show_wait(side, "closed", set, kQuietMs);
    const int fd = side.connect_to(side.exchange(0));
    side.line("the same number: %d", fd == first);
    await_bytes(fd, 10);
    show_wait(side, "never added", set, kQuietMs);
    side.result("mod", control(set, EPOLL_CTL_MOD, fd, EPOLLIN, 2));
    side.result("del", control(set, EPOLL_CTL_DEL, fd, 0, 0));
    side.result("add", control(set, EPOLL_CTL_ADD, fd, EPOLLIN, 3));
    show_wait(side, "bytes", set, kPatienceMs);
    side.meet();
}

void exclusive_membership(Side& side) {
    const int fd = side.connection();
    const int set = new_set();
    side.result("add for priority", control(set, EPOLL_CTL_ADD, fd, EPOLLPRI | EPOLLEXCLUSIVE, 1));
    side.result("add for one shot",
                control(set, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLONESHOT | EPOLLEXCLUSIVE, 1));
    side.result("add for a hang-up",
                control(set, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLRDHUP | EPOLLEXCLUSIVE, 1));
    side.result("add", control(set, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLET | EPOLLEXCLUSIVE, 1));
    side.result("mod", control(set, EPOLL_CTL_MOD, fd, EPOLLIN, 2));
    side.result("mod exclusively", control(set, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLEXCLUSIVE, 2));
    send_to_server(side, fd, 10, 10);
    if (side.server) {
        show_wait(side, "wait", set, kPatienceMs);
        show_wait(side, "not again", set, kQuietMs);
        side.result("del", control(set, EPOLL_CTL_DEL, fd, 0, 0));
        side.result("add as usual", control(set, EPOLL_CTL_ADD, fd, EPOLLIN, 3));
        side.result("mod exclusively", control(set, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLEXCLUSIVE, 3));
        show_wait(side, "wait", set, kPatienceMs);
    }
    side.meet();
}

void arguments_that_are_refused(Side& side) {
    const int fd = side.connection();
    const int set = set_with(fd, EPOLLOUT, 1);
    struct stat about;
    const int file = open("/proc/self/status", O_RDONLY);
    const int directory = open("/", O_RDONLY | O_DIRECTORY);
    side.line("a file: %d", fstat(file, &about));
    side.result("add a directory", control(set, EPOLL_CTL_ADD, directory, EPOLLIN, 1));
    side.result("add to a socket", control(fd, EPOLL_CTL_ADD, set, EPOLLIN, 1));
    side.result("add to nothing", control(999, EPOLL_CTL_ADD, fd, EPOLLIN, 1));
    side.result("add without event", epoll_ctl(set, EPOLL_CTL_ADD, fd, nullptr));
    side.result("mod without event", epoll_ctl(set, EPOLL_CTL_MOD, fd, nullptr));
    side.result("nonsense without event", epoll_ctl(set, 99, fd, nullptr));
    side.result("nonsense", control(set, 99, fd, EPOLLIN, 1));
    epoll_event event;
    const timespec negative{-1, 0}, too_long{0, 1'000'000'000};
    const volatile int less_than_none = -1, too_much = 1 << 28;
    side.result("room of less than none", epoll_wait(set, &event, less_than_none, 0));
    side.result("too much room", epoll_wait(set, &event, too_much, 0));
    side.result("wait on nothing", epoll_wait(999, &event, 1, 0));
    side.result("wait on a file", epoll_wait(file, &event, 1, 0));
    side.result("negative time", epoll_pwait2(set, &event, 1, &negative, nullptr));
    side.result("too many nanoseconds", epoll_pwait2(set, &event, 1, &too_long, nullptr));
    side.result("epoll_create of nothing", epoll_create(0));
    side.result("epoll_create1 with nonsense", epoll_create1(12345));
    side.result("wait", epoll_wait(set, &event, 1, -5));
    side.result("del without event", epoll_ctl(set, EPOLL_CTL_DEL, fd, nullptr));
    side.meet();
}

void times_to_wait(Side& side) {
    const int fd = side.connection();
    const int set = set_with(fd, EPOLLIN, 1);
    epoll_event event{};
    const timespec soon{0, 20'000'000}, now{0, 0}, huge{1L << 60, 0};
    side.result("no time", epoll_wait(set, &event, 1, 0));
    side.result("no time", epoll_pwait2(set, &event, 1, &now, nullptr));
    side.result("some time", epoll_pwait2(set, &event, 1, &soon, nullptr));
    pollfd item{fd, POLLIN, 0};
    side.result("ppoll without time", ppoll(&item, 1, &now, nullptr));
    side.result("ppoll with some", ppoll(&item, 1, &soon, nullptr));
    send_later(side, fd, 10);
    if (side.server) {
        side.result("all the time there is", epoll_pwait2(set, &event, 1, &huge, nullptr));
        side.result("ppoll", ppoll(&item, 1, &huge, nullptr));
        side.result("poll", poll(&item, 1, -7));
        side.result("longest", epoll_wait(set, &event, 1, 0x7FFFFFFF));
    }
    side.meet();
}

void a_disconnected_socket_stays_in_the_set(Side& side) {
    const int fd = side.connection();
    const int set = set_with(fd, EPOLLIN | EPOLLRDHUP, 1);
    if (!side.server) {
        show_wait(side, "connected", set, kQuietMs);
        sockaddr nowhere{};
        nowhere.sa_family = AF_UNSPEC;
        side.result("disconnect", connect(fd, &nowhere, sizeof nowhere));
        epoll_event event{};
        side.result("disconnected", epoll_wait(set, &event, 1, kPatienceMs));
        side.line("hung up: %d", (event.events & EPOLLHUP) != 0);
        side.result("mod", control(set, EPOLL_CTL_MOD, fd, EPOLLOUT, 2));
        side.result("disconnected", epoll_wait(set, &event, 1, kPatienceMs));
        side.line("writable: %d", (event.events & EPOLLOUT) != 0);
    }
    side.meet();
    if (side.server) {
        await(fd, POLLHUP);
        show_wait(side, "reset", set, kPatienceMs);
    }
    side.meet();
}

constexpr Case kCases[] = {
    {"one_socket_in_several_sets", one_socket_in_several_sets},
    {"copies_in_one_set", copies_in_one_set, true},
    {"a_number_comes_back", a_number_comes_back, true},
    {"a_failed_socket_leaves_nothing", a_failed_socket_leaves_nothing, true},
    {"exclusive_membership", exclusive_membership},
    {"arguments_that_are_refused", arguments_that_are_refused, true},
    {"times_to_wait", times_to_wait},
    {"a_disconnected_socket_stays_in_the_set", a_disconnected_socket_stays_in_the_set},
};

}  // namespace

int main(int argc, char** argv) { return run_cases(kCases, argc, argv); }
