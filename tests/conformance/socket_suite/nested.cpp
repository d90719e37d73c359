// Cases of epoll sets that are polled or are members of other sets.
#include <sys/eventfd.h>

#include <atomic>

#include "epoll_calls.hpp"

namespace {

void polls_of_a_set_are_woken(Side& side) {
    const int fd = side.connection();
    const int set = set_with(fd, EPOLLIN);
    for (int round = 0; round < 4; ++round) {
        send_later(side, fd, 10);
        if (!side.server) continue;
        pollfd item{set, POLLIN | POLLOUT, 0};
        const timespec patience{kPatienceMs / 1000, 0};
        timeval left{kPatienceMs / 1000, 0};
        fd_set in, out;
        FD_ZERO(&in);
        FD_ZERO(&out);
        FD_SET(set, &in);
        FD_SET(set, &out);
        if (round == 0) side.result("poll", poll(&item, 1, -1));
        if (round == 1) side.result("ppoll", ppoll(&item, 1, &patience, nullptr));
        if (round == 2) side.result("select", select(set + 1, &in, &out, nullptr, &left));
        if (round == 3) side.result("pselect", pselect(set + 1, &in, &out, nullptr, &patience, nullptr));
        side.line("%s", events_text(static_cast<unsigned short>(item.revents)).c_str());
        show_poll(side, set);
        show_wait(side, "wait", set, 0);
        receive_bytes(side, fd, 100);
        show_poll(side, set);
    }
    side.meet();
}

void a_polled_set_has_kernel_members_as_well(Side& side) {
    const int fd = side.connection();
    const int event = eventfd(0, EFD_NONBLOCK);
    const int set = set_with(fd, EPOLLIN);
    control(set, EPOLL_CTL_ADD, event, EPOLLIN, 2);
    show_poll(side, set);
    eventfd_write(event, 1);
    show_poll(side, set);
    show_wait(side, "wait", set, 0);
    std::thread reader([&] {
        usleep(kQuietMs * 1000);
        eventfd_write(event, 1);
    });
    eventfd_t value;
    eventfd_read(event, &value);
    pollfd items[2] = {{set, POLLIN, 0}, {fd, POLLIN, 0}};
    side.result("poll", poll(items, 2, kPatienceMs));
    reader.join();
    eventfd_read(event, &value);
    side.result("poll", poll(items, 2, kQuietMs));
    send_to_server(side, fd, 10, 10);
    if (side.server) side.result("poll", poll(items, 2, kPatienceMs));
    side.meet();
}

void an_outer_set_is_woken(Side& side) {
    const int fd = side.connection();
    const int inner = set_with(fd, EPOLLIN, 1);
    const int middle = set_with(inner, EPOLLIN, 2);
    const int outer = set_with(middle, EPOLLIN, 3);
    for (int round = 0; round < 3; ++round) {
        send_later(side, fd, 10);
        if (!side.server) continue;
        show_wait(side, "outer", outer, kPatienceMs);
        show_wait(side, "outer again", outer, 0);
        show_wait(side, "middle", middle, 0);
        show_wait(side, "inner", inner, 0);
        show_poll(side, outer);
        receive_bytes(side, fd, 10);
        show_wait(side, "outer", outer, 0);
        show_poll(side, outer);
    }
    side.meet();
}

void outer_sets_know_edges_and_oneshots(Side& side) {
    const int fd = side.connection();
    const int inner = set_with(fd, EPOLLIN, 1);
    const int edge = set_with(inner, EPOLLIN | EPOLLET, 2);
    const int once = set_with(inner, EPOLLIN | EPOLLONESHOT, 3);
    for (int round = 1; round <= 2; ++round) {
        send_to_server(side, fd, 10, round * 10);
        if (!side.server) continue;
        show_wait(side, "edge", edge, kPatienceMs);
        show_wait(side, "edge, not again", edge, kQuietMs);
        show_wait(side, "once", once, round == 1 ? kPatienceMs : kQuietMs);
        show_wait(side, "once, not again", once, kQuietMs);
    }
    if (side.server) {
        side.result("rearm", control(once, EPOLL_CTL_MOD, inner, EPOLLIN | EPOLLONESHOT, 4));
        show_wait(side, "once", once, kPatienceMs);
        side.result("rearm", control(edge, EPOLL_CTL_MOD, inner, EPOLLIN | EPOLLET, 5));
        show_wait(side, "edge", edge, kPatienceMs);
        side.result("for writing", control(edge, EPOLL_CTL_MOD, inner, EPOLLOUT, 6));
        show_wait(side, "edge", edge, kQuietMs);
    }
    side.meet();
}

void inner_edges_are_consumed_by_waiting(Side& side) {
    const int fd = side.connection();
    const int inner = set_with(fd, EPOLLIN | EPOLLET, 1);
    const int outer = set_with(inner, EPOLLIN, 2);
    send_to_server(side, fd, 10, 10);
    if (side.server) {
        show_wait(side, "outer", outer, kPatienceMs);
        show_poll(side, inner);
        show_wait(side, "inner", inner, 0);
        show_poll(side, inner);
        show_wait(side, "outer", outer, kQuietMs);
    }
    send_to_server(side, fd, 10, 20);
    if (side.server) {
        show_poll(side, inner);
        show_wait(side, "outer", outer, kPatienceMs);
    }
    side.meet();
}

void loops_and_depth_are_refused(Side& side) {
    const int fd = side.connection();
    constexpr int kDeep = 7;
    int sets[kDeep];
    sets[0] = set_with(fd, EPOLLIN, 0);
    for (int i = 1; i < kDeep; ++i) {
        sets[i] = new_set();
        char what[32];
        snprintf(what, sizeof what, "add level %d", i);
        side.result(what, control(sets[i], EPOLL_CTL_ADD, sets[i - 1], EPOLLIN, static_cast<unsigned>(i)));
    }
    side.result("a loop", control(sets[0], EPOLL_CTL_ADD, sets[2], EPOLLIN, 9));
    side.result("itself", control(sets[0], EPOLL_CTL_ADD, sets[0], EPOLLIN, 9));
    side.result("exclusively", control(sets[3], EPOLL_CTL_ADD, sets[0], EPOLLIN | EPOLLEXCLUSIVE, 9));
    side.result("add twice", control(sets[1], EPOLL_CTL_ADD, sets[0], EPOLLIN, 9));
    side.result("modify a stranger", control(sets[3], EPOLL_CTL_MOD, sets[0], EPOLLIN, 9));
    side.result("modify exclusively", control(sets[1], EPOLL_CTL_MOD, sets[0], EPOLLIN | EPOLLEXCLUSIVE, 9));
    side.result("modify without event", epoll_ctl(sets[1], EPOLL_CTL_MOD, sets[0], nullptr));
    send_to_server(side, fd, 10, 10);
    if (side.server) {
        for (int i = 0; i < 4; ++i) show_wait(side, "wait", sets[i], kPatienceMs);
    }
    side.meet();
}

void inner_sets_go(Side& side) {
    const int fd = side.connection();
    const int inner = set_with(fd, EPOLLIN, 1);
    const int outer = set_with(inner, EPOLLIN, 2);
    send_to_server(side, fd, 10, 10);
    if (side.server) {
        show_wait(side, "outer", outer, kPatienceMs);
        side.result("del", control(outer, EPOLL_CTL_DEL, inner, 0, 0));
        show_wait(side, "outer", outer, kQuietMs);
        side.result("del twice", control(outer, EPOLL_CTL_DEL, inner, 0, 0));
        side.result("add", control(outer, EPOLL_CTL_ADD, inner, EPOLLIN, 3));
        show_wait(side, "outer", outer, kPatienceMs);
        const int copy = dup(inner);
        close(inner);
        show_wait(side, "a copy is left", outer, kPatienceMs);
        close(copy);
        show_wait(side, "none is left", outer, kQuietMs);
    }
    side.meet();
}

// Who sleeps on an empty set hears of what another thread puts into it.
void a_set_gets_its_socket_while_somebody_sleeps(Side& side) {
    const int fd = side.connection();
    send_to_server(side, fd, 10, 10);
    if (side.server) {
        for (int way = 0; way < 3; ++way) {
            const int inner = new_set();
            const int outer = set_with(inner, EPOLLIN, 2);
            std::thread adder([&] {
                usleep(kQuietMs * 1000);
                control(inner, EPOLL_CTL_ADD, fd, EPOLLIN, 1);
            });
            pollfd item{inner, POLLIN, 0};
            if (way == 0) show_wait(side, "inner", inner, kPatienceMs);
            if (way == 1) show_wait(side, "outer", outer, kPatienceMs);
            if (way == 2) side.result("poll", poll(&item, 1, kPatienceMs));
            adder.join();
            close(outer);
            close(inner);
        }
    }
    side.meet();
}

// One thread waits on the inner set, one on the outer, one polls: all hear of bytes that nobody reads.
void everybody_around_a_set_is_woken(Side& side) {
    const int fd = side.connection();
    const int inner = set_with(fd, EPOLLIN, 1);
    const int outer = set_with(inner, EPOLLIN, 2);
    send_later(side, fd, 10);
    if (side.server) {
        int counts[3] = {};
        std::thread threads[3] = {std::thread([&] {
                                      epoll_event event;
                                      counts[0] = epoll_wait(inner, &event, 1, kPatienceMs);
                                  }),
                                  std::thread([&] {
                                      epoll_event event;
                                      counts[1] = epoll_wait(outer, &event, 1, kPatienceMs);
                                  }),
                                  std::thread([&] {
                                      pollfd item{inner, POLLIN, 0};
                                      counts[2] = poll(&item, 1, kPatienceMs);
                                  })};
        for (std::thread& thread : threads) thread.join();
        side.line("%d %d %d", counts[0], counts[1], counts[2]);
    }
    side.meet();
}

// A byte there and a byte back, again and again, whoever of several threads hears of it first.
void nobody_forgets_a_byte(Side& side) {
    constexpr int kRounds = 1500;
    const int fd = side.connection(side.server ? SOCK_NONBLOCK : 0);
    if (!side.server) {
        int answers = 0;
        for (int i = 0; i < kRounds; ++i) {
            char byte = 'q';
            if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1 || recv(fd, &byte, 1, 0) != 1) break;
            ++answers;
        }
        side.line("answers %d", answers);
        shutdown(fd, SHUT_WR);
        side.meet();
        return;
    }
    const int inner = set_with(fd, EPOLLIN, 1);
    const int middle = set_with(inner, EPOLLIN, 2);
    const int outer = set_with(middle, EPOLLIN | EPOLLET, 3);
    std::atomic<bool> ended{false};
    std::atomic<int> answers{0};
    const auto answer = [&](auto wait) {
        while (!ended && wait() > 0) {
            char byte;
            ssize_t got;
            while ((got = recv(fd, &byte, 1, MSG_DONTWAIT)) == 1)
                answers += send(fd, &byte, 1, MSG_NOSIGNAL) == 1;
            if (got == 0) ended = true;
        }
    };
    const auto polls = [](int set) {
        pollfd item{set, POLLIN, 0};
        return poll(&item, 1, kPatienceMs);
    };
    const auto waits = [](int set) {
        epoll_event event;
        return epoll_wait(set, &event, 1, kPatienceMs);
    };
    std::thread threads[] = {std::thread(answer, [&] { return waits(inner); }),
                             std::thread(answer, [&] { return waits(middle); }),
                             std::thread(answer, [&] { return waits(outer); }),
                             std::thread(answer, [&] { return polls(middle); })};
    for (std::thread& thread : threads) thread.join();
    side.line("answers %d", answers.load());
    side.meet();
}

constexpr Case kCases[] = {
    {"polls_of_a_set_are_woken", polls_of_a_set_are_woken},
    {"a_polled_set_has_kernel_members_as_well", a_polled_set_has_kernel_members_as_well},
    {"an_outer_set_is_woken", an_outer_set_is_woken},
    {"outer_sets_know_edges_and_oneshots", outer_sets_know_edges_and_oneshots},
    {"inner_edges_are_consumed_by_waiting", inner_edges_are_consumed_by_waiting},
    {"loops_and_depth_are_refused", loops_and_depth_are_refused},
    {"inner_sets_go", inner_sets_go},
    {"a_set_gets_its_socket_while_somebody_sleeps", a_set_gets_its_socket_while_somebody_sleeps},
    {"everybody_around_a_set_is_woken", everybody_around_a_set_is_woken},
    {"nobody_forgets_a_byte", nobody_forgets_a_byte},
};

}  // namespace

int main(int argc, char** argv) { return run_cases(kCases, argc, argv); }
