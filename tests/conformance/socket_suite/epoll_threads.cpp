// Cases of epoll sets that several threads or processes use at once, and of large ones.
#include <sys/eventfd.h>
#include <sys/resource.h>

#include <atomic>

#include "children.hpp"
#include "epoll_calls.hpp"

namespace {

// Runs `act` in another thread some time after this one has gone to sleep.
template <class Act>
std::thread later(Act act) {
    return std::thread([act] {
        usleep(kQuietMs * 1000);
        act();
    });
}

void changes_reach_a_sleeping_thread(Side& side) {
    const int fd = side.connection();
    send_to_server(side, fd, 10, 10);
    if (side.server) {
        const int set = new_set();
        std::thread other = later([=] { control(set, EPOLL_CTL_ADD, fd, EPOLLIN, 1); });
        show_wait(side, "added", set, -1);
        other.join();
        control(set, EPOLL_CTL_MOD, fd, 0, 2);
        other = later([=] { control(set, EPOLL_CTL_MOD, fd, EPOLLOUT, 3); });
        show_wait(side, "modified", set, -1);
        other.join();
        control(set, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLONESHOT, 4);
        show_wait(side, "once", set, kPatienceMs);
        other = later([=] { control(set, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLONESHOT, 5); });
        show_wait(side, "armed again", set, -1);
        other.join();
        control(set, EPOLL_CTL_DEL, fd, 0, 0);
        other = later([=] { control(set, EPOLL_CTL_ADD, fd, EPOLLRDHUP, 6); });
        show_wait(side, "added for nothing", set, 4 * kQuietMs);
        other.join();
        other = later([=] { control(set, EPOLL_CTL_DEL, fd, 0, 0); });
        show_wait(side, "taken out", set, 4 * kQuietMs);
        other.join();
    }
    side.meet();
}

void closing_while_a_thread_sleeps(Side& side) {
    const int fd = side.connection();
    const int event = eventfd(0, 0);
    if (side.server) {
        const int set = set_with(fd, EPOLLIN | EPOLLRDHUP, 1);
        control(set, EPOLL_CTL_ADD, event, EPOLLIN, 2);
        std::thread other = later([=] { close(fd); });
        show_wait(side, "closed", set, 4 * kQuietMs);
        other.join();
        other = later([=] { eventfd_write(event, 1); });
        show_wait(side, "what is left", set, kPatienceMs);
        other.join();
        side.result("mod", control(set, EPOLL_CTL_MOD, fd, EPOLLIN, 1));
    }
    side.meet();
}

void a_level_reaches_every_thread(Side& side) {
    const int fd = side.connection();
    send_later(side, fd, 10);
    if (side.server) {
        const int set = set_with(fd, EPOLLIN, 1);
        std::atomic<int> woken{0};
        const auto wait = [&] {
            epoll_event event;
            woken += epoll_wait(set, &event, 1, kPatienceMs);
        };
        std::thread threads[4] = {std::thread(wait), std::thread(wait), std::thread(wait), std::thread(wait)};
        for (std::thread& thread : threads) thread.join();
        side.line("woken %d", woken.load());
    }
    side.meet();
}

void an_edge_reaches_one_thread(Side& side) {
    const int fd = side.connection();
    send_later(side, fd, 10);
    if (side.server) {
        for (unsigned trigger : {unsigned{EPOLLET}, unsigned{EPOLLONESHOT}}) {
            const int set = set_with(fd, EPOLLIN | trigger, 1);
            std::atomic<int> woken{0};
            const auto wait = [&] {
                epoll_event event;
                woken += epoll_wait(set, &event, 1, 10 * kQuietMs);
            };
            std::thread threads[3] = {std::thread(wait), std::thread(wait), std::thread(wait)};
            for (std::thread& thread : threads) thread.join();
            side.line("woken %d", woken.load());
        }
    }
    side.meet();
}

// One ready socket each for more waiting threads: all of them get something to do.
void every_thread_gets_a_socket(Side& side) {
    constexpr int kCount = 4;
    int fds[kCount];
    for (int& fd : fds) fd = side.connection();
    side.meet();
    if (!side.server) {
        usleep(kQuietMs * 1000);
        for (int fd : fds) send_bytes(side, fd, 10);
        side.meet();
        return;
    }
    const int set = new_set();
    for (int i = 0; i < kCount; ++i)
        control(set, EPOLL_CTL_ADD, fds[i], EPOLLIN | EPOLLONESHOT, static_cast<unsigned>(i));
    std::atomic<unsigned> seen{0};
    const auto wait = [&] {
        epoll_event event;
        if (epoll_wait(set, &event, 1, kPatienceMs) == 1) seen |= 1U << event.data.u32;
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < kCount; ++i) threads.emplace_back(wait);
    for (std::thread& thread : threads) thread.join();
    side.line("seen 0x%x", seen.load());
    side.meet();
}

// Parent and child wait on one set; each hears of bytes, again and again.
void a_fork_shares_the_set(Side& side) {
    const int fd = side.connection();
    if (!side.server) {
        for (int i = 0; i < 6; ++i) {
            send_later(side, fd, 10);
            side.meet();
        }
        side.meet();
        return;
    }
    int pair[2];
    side.must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    const int event = eventfd(0, EFD_NONBLOCK);
    const int set = set_with(fd, EPOLLIN, 7);
    control(set, EPOLL_CTL_ADD, event, EPOLLIN, 8);
    show_wait(side, "nothing", set, kQuietMs);
    const pid_t child = fork();
    const auto hears = [&] {
        epoll_event events[2];
        return epoll_wait(set, events, 2, kPatienceMs) >= 1 && events[0].data.u64 == 7;
    };
    if (child == 0) {
        char turn;
        while (read(pair[1], &turn, 1) == 1 && turn != 'x') {
            const char answer = hears() ? 'y' : 'n';
            if (write(pair[1], &answer, 1) != 1) break;
        }
        _exit(9);
    }
    for (int i = 0; i < 6; ++i) {
        char answer = 0;
        if (write(pair[0], "t", 1) != 1) break;  // the child goes to wait as well
        side.meet();
        const bool own = hears();
        const bool told = read(pair[0], &answer, 1) == 1;
        side.line("parent %d child %d", own, told && answer == 'y');
        receive_bytes(side, fd, 10);
        side.meet();
    }
    eventfd_write(event, 1);
    show_wait(side, "the eventfd", set, kPatienceMs);
    side.line("write %zd", write(pair[0], "x", 1));
    side.line("child's exit code %d", exit_code_of(child));
    side.meet();
}

void thousands_of_descriptors(Side& side) {
    constexpr std::size_t kCount = 1500;
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    std::vector<int> fds;
    if (side.server) {
        const Listening listener = side.listening(kCount);  // all may call before one is accepted
        side.exchange(listener.port);
        for (std::size_t i = 0; i < kCount; ++i) {
            const int fd = side.must("accept", accept(listener.fd, nullptr, nullptr));
            fds.push_back(
                fcntl(fd, F_DUPFD, 1000));  // what stands between low and high numbers is the harness's
            close(fd);
            side.note_transport(fds.back());
        }
    } else {
        const std::uint64_t port = side.exchange(0);
        for (std::size_t i = 0; i < kCount; ++i) {
            const int fd = side.connect_to(port);
            fds.push_back(fcntl(fd, F_DUPFD, 1000));
            close(fd);
        }
    }
    side.meet();
    if (!side.server) {
        for (std::size_t i = 0; i < kCount; i += 7) send(fds[i], "x", 1, MSG_NOSIGNAL);
        side.meet();
        side.meet();
        for (int fd : fds) close(fd);
        return;
    }
    const int set = new_set();
    for (std::size_t i = 0; i < kCount; ++i) control(set, EPOLL_CTL_ADD, fds[i], EPOLLIN | EPOLLET, i);
    side.meet();
    std::vector<int> seen(kCount, 0);
    std::size_t events_seen = 0, right = 0;
    epoll_event events[64];
    while (events_seen < (kCount + 6) / 7) {
        const int count = epoll_wait(set, events, 64, kPatienceMs);
        if (count <= 0) break;
        for (int i = 0; i < count; ++i) ++seen[events[i].data.u64];
        events_seen += static_cast<std::size_t>(count);
    }
    side.line("events %zu, then %d", events_seen, epoll_wait(set, events, 64, kQuietMs));
    for (std::size_t i = 0; i < kCount; ++i) right += (i % 7 == 0) == (seen[i] == 1) ? 1 : 0;
    side.line("right %zu", right);
    side.meet();
    std::size_t ended = 0;
    for (int count; ended < kCount && (count = epoll_wait(set, events, 64, kPatienceMs)) > 0;) {
        for (int i = 0; i < count; ++i) {
            char bytes[8];
            while (recv(fds[events[i].data.u64], bytes, sizeof bytes, 0) > 0) continue;
            close(fds[events[i].data.u64]);
            ++ended;
        }
    }
    side.line("ended %zu", ended);
}

constexpr Case kCases[] = {
    {"changes_reach_a_sleeping_thread", changes_reach_a_sleeping_thread},
    {"closing_while_a_thread_sleeps", closing_while_a_thread_sleeps},
    {"a_level_reaches_every_thread", a_level_reaches_every_thread},
    {"an_edge_reaches_one_thread", an_edge_reaches_one_thread},
    {"every_thread_gets_a_socket", every_thread_gets_a_socket},
    {"a_fork_shares_the_set", a_fork_shares_the_set, true},
    {"thousands_of_descriptors", thousands_of_descriptors, true},
};

}  // namespace

int main(int argc, char** argv) { return run_cases(kCases, argc, argv); }
