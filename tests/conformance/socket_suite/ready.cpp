// Cases of poll and select: sleeping and being woken, time-outs, sets of mixed descriptors, high numbers.
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>

#include "calls.hpp"

namespace {

std::uint64_t now_ms() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1000 +
           static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

void states_of_a_connection(Side& side) {
    const int fd = side.connection();
    show_masks(side, fd, "idle");
    side.meet();
    if (!side.server) send_bytes(side, fd, 10);
    side.meet();
    if (side.server) {
        await_bytes(fd, 10);
        show_masks(side, fd, "bytes wait");
        receive_bytes(side, fd, 4);
        show_masks(side, fd, "some bytes left");
        receive_bytes(side, fd, 6);
        show_masks(side, fd, "empty again");
    }
    side.meet();
    if (side.server) close(fd);
    side.meet();
    if (!side.server) {
        await(fd, POLLRDHUP);
        show_masks(side, fd, "peer closed");
        close(fd);
        pollfd item{fd, POLLIN, 0};
        side.result("poll of a closed descriptor", poll(&item, 1, 0));
        side.line("%s", events_text(static_cast<unsigned short>(item.revents)).c_str());
        fd_set in;
        FD_ZERO(&in);
        FD_SET(fd, &in);
        timeval now{};
        side.result("select of a closed descriptor", select(fd + 1, &in, nullptr, nullptr, &now));
    }
}

void only_what_was_asked_is_told(Side& side) {
    const int fd = side.connection();
    send_bytes(side, fd, 10);
    side.meet();
    await_bytes(fd, 10);
    for (short events : {0, POLLIN, POLLOUT, POLLPRI, POLLRDHUP, POLLRDNORM, POLLWRNORM}) {
        pollfd item{fd, events, 0};
        const int count = poll(&item, 1, 0);
        side.line("asked 0x%x: %d 0x%x", static_cast<unsigned>(events), count,
                  static_cast<unsigned>(item.revents));
    }
    side.meet();
}

void sleeping_calls_are_woken_by_bytes(Side& side) {
    const int fd = side.connection();
    for (int round = 0; round < 4; ++round) {
        side.meet();
        if (!side.server) {
            usleep(30'000);
            send_bytes(side, fd, 10);
            continue;
        }
        pollfd item{fd, POLLIN, 0};
        const timespec patience{kPatienceMs / 1000, 0};
        timeval left{kPatienceMs / 1000, 0};
        fd_set in;
        FD_ZERO(&in);
        FD_SET(fd, &in);
        if (round == 0) side.result("poll", poll(&item, 1, -1));
        if (round == 1) side.result("ppoll", ppoll(&item, 1, &patience, nullptr));
        if (round == 2) side.result("select", select(fd + 1, &in, nullptr, nullptr, &left));
        if (round == 2) side.line("time is left: %d", left.tv_sec > 0);
        if (round == 3) side.result("pselect", pselect(fd + 1, &in, nullptr, nullptr, &patience, nullptr));
        receive_bytes(side, fd, 100);
    }
    side.meet();
}

// A byte is there, but neither an end nor as many as are asked for.
void what_was_not_asked_for_ends_no_wait(Side& side) {
    const int fd = side.connection();
    if (!side.server) send_bytes(side, fd, 1);
    side.meet();
    if (side.server) {
        await_bytes(fd, 1);
        const int wanted = 100;
        setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &wanted, sizeof wanted);
        for (const short events : {POLLRDHUP, POLLIN}) {
            pollfd item{fd, events, 0};
            const std::uint64_t start_ms = now_ms();
            side.result("poll", poll(&item, 1, 100));
            side.line("slept: %d", now_ms() - start_ms >= 99);
        }
    }
    side.meet();
}

void a_sleeping_writer_is_woken_by_room(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        const std::uint64_t size = side.exchange(0);
        usleep(30'000);
        side.line("all came: %d", drain(fd, size) == size);
        side.meet();
        return;
    }
    side.exchange(fill(fd));
    pollfd item{fd, POLLOUT, 0};
    side.result("poll", poll(&item, 1, kPatienceMs));
    side.line("%s", events_text(static_cast<unsigned short>(item.revents)).c_str());
    side.meet();
}

void a_sleeping_poll_is_woken_by_the_end(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        usleep(30'000);
        close(fd);
        side.meet();
        return;
    }
    pollfd item{fd, POLLRDHUP, 0};
    side.result("poll", poll(&item, 1, kPatienceMs));
    side.line("%s", events_text(static_cast<unsigned short>(item.revents)).c_str());
    side.meet();
}

void nothing_happens_until_the_timeout(Side& side) {
    const int fd = side.connection();
    pollfd item{fd, POLLIN, 0};
    const std::uint64_t start_ms = now_ms();
    side.result("poll", poll(&item, 1, 60));
    side.line("not before: %d", now_ms() - start_ms >= 59);
    fd_set in;
    FD_ZERO(&in);
    FD_SET(fd, &in);
    timeval timeout{0, 30'000};
    side.result("select", select(fd + 1, &in, nullptr, nullptr, &timeout));
    side.line("left %ld.%06ld, still in the set %d", static_cast<long>(timeout.tv_sec),
              static_cast<long>(timeout.tv_usec), FD_ISSET(fd, &in));
    const timespec bad{0, 2'000'000'000};
    side.result("ppoll with nonsense", ppoll(&item, 1, &bad, nullptr));
    timeval negative{-1, 0};
    side.result("select with nonsense", select(fd + 1, &in, nullptr, nullptr, &negative));
    side.meet();
}

void other_descriptors_wake_as_well(Side& side) {
    const int fd = side.connection();
    int ends[2];
    side.must("pipe", pipe(ends));
    const int event = eventfd(0, 0);
    pollfd items[5] = {
        {-1, POLLIN, 0}, {ends[0], POLLIN, 0}, {fd, POLLIN, 0}, {event, POLLIN, 0}, {-7, POLLOUT, 0}};
    const auto show = [&](const char* what) {
        const int count = poll(items, 5, kPatienceMs);
        side.line("%s: %d", what, count);
        for (const pollfd& item : items)
            side.line("  %s", events_text(static_cast<unsigned short>(item.revents)).c_str());
    };
    const auto later = [](int to) {
        return std::thread([to] {
            usleep(30'000);
            const std::uint64_t one = 1;
            if (write(to, &one, sizeof one) < 0) abort();
        });
    };
    std::thread writer = later(ends[1]);
    show("the pipe");
    writer.join();
    char bytes[8];
    side.result("read", read(ends[0], bytes, sizeof bytes));
    writer = later(event);
    show("the eventfd");
    writer.join();
    side.meet();
    send_bytes(side, fd, 3);
    await_bytes(fd, 3);
    show("eventfd and socket");
    side.meet();
}

void many_descriptors_in_one_poll(Side& side) {
    constexpr std::size_t kCount = 150;
    std::vector<int> fds;
    if (side.server) {
        const Listening listener = side.offered(256);
        for (std::size_t i = 0; i < kCount; ++i) {
            fds.push_back(side.accepted(listener));
        }
    } else {
        const std::uint64_t port = side.exchange(0);
        for (std::size_t i = 0; i < kCount; ++i) fds.push_back(side.connect_to(port));
    }
    side.meet();
    if (!side.server) {
        for (std::size_t i : {std::size_t{5}, std::size_t{77}, kCount - 1}) send_bytes(side, fds[i], 1);
    }
    side.meet();
    if (side.server) {
        for (std::size_t i : {std::size_t{5}, std::size_t{77}, kCount - 1}) await_bytes(fds[i], 1);
        std::vector<pollfd> items;
        for (int fd : fds) items.push_back({fd, POLLIN, 0});
        side.result("poll", poll(items.data(), items.size(), kPatienceMs));
        for (std::size_t i = 0; i < kCount; ++i) {
            if (items[i].revents != 0) side.line("number %zu", i);
        }
    }
    side.meet();
}

// Larger sets than FD_SETSIZE, as programs bring them that allocate their own.
void select_of_high_numbers(Side& side) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 8192);
    setrlimit(RLIMIT_NOFILE, &limit);
    const int low = side.connection();
    const int fd = fcntl(low, F_DUPFD, 3000);
    close(low);
    side.line("number %d", fd);
    constexpr std::size_t kWords = 4096 / (8 * sizeof(unsigned long));
    constexpr int kWordBits = 8 * sizeof(unsigned long);
    unsigned long in[kWords] = {}, out[kWords] = {};
    const auto word = static_cast<std::size_t>(fd / kWordBits);
    const unsigned long bit = 1UL << (fd % kWordBits);
    in[word] = out[word] = bit;
    const auto as_set = [](unsigned long* set) { return reinterpret_cast<fd_set*>(set); };
    timeval timeout{kPatienceMs / 1000, 0};
    side.result("select", select(fd + 1, as_set(in), as_set(out), nullptr, &timeout));
    side.line("in %d out %d", in[word] == bit, out[word] == bit);
    side.meet();
    send_bytes(side, fd, 10);
    in[word] = bit;
    side.result("select", select(fd + 1, as_set(in), nullptr, nullptr, &timeout));
    side.line("in %d", in[word] == bit);
    receive_bytes(side, fd, 10);
    side.meet();
}

// POLLRDNORM and POLLWRNORM, of which some programs ask in place of POLLIN and POLLOUT, wake as these do.
void events_by_their_other_names_wake(Side& side) {
    const Listening listener = side.server ? side.offered() : Listening{-1, side.exchange(0)};
    side.meet();
    if (!side.server) usleep(30'000);
    const int fd = side.server ? listener.fd : side.connect_to(listener.port);
    if (side.server) {
        pollfd item{listener.fd, POLLRDNORM, 0};
        side.result("poll of a listener", poll(&item, 1, kPatienceMs));
        side.line("0x%x", static_cast<unsigned>(item.revents));
        const int set = epoll_create1(EPOLL_CLOEXEC);
        epoll_event event{};
        event.events = EPOLLIN | EPOLLRDNORM;
        epoll_ctl(set, EPOLL_CTL_ADD, listener.fd, &event);
        event = {};
        side.result("epoll_wait", epoll_wait(set, &event, 1, kPatienceMs));
        side.line("0x%x", event.events);
        const int accepted = side.accepted(listener);
        const std::uint64_t size = side.exchange(0);
        usleep(30'000);
        drain(accepted, size);
        side.meet();
        return;
    }
    side.exchange(fill(fd));
    pollfd item{fd, POLLWRNORM, 0};
    side.result("poll of a full connection", poll(&item, 1, kPatienceMs));
    side.line("0x%x", static_cast<unsigned>(item.revents));
    side.meet();
}

constexpr Case kCases[] = {
    {"states_of_a_connection", states_of_a_connection, true},
    {"only_what_was_asked_is_told", only_what_was_asked_is_told},
    {"sleeping_calls_are_woken_by_bytes", sleeping_calls_are_woken_by_bytes},
    {"what_was_not_asked_for_ends_no_wait", what_was_not_asked_for_ends_no_wait},
    {"a_sleeping_writer_is_woken_by_room", a_sleeping_writer_is_woken_by_room},
    {"a_sleeping_poll_is_woken_by_the_end", a_sleeping_poll_is_woken_by_the_end},
    {"nothing_happens_until_the_timeout", nothing_happens_until_the_timeout},
    {"other_descriptors_wake_as_well", other_descriptors_wake_as_well},
    {"many_descriptors_in_one_poll", many_descriptors_in_one_poll},
    {"select_of_high_numbers", select_of_high_numbers, true},
    {"events_by_their_other_names_wake", events_by_their_other_names_wake},
};

}  // namespace

int main(int argc, char** argv) { return run_cases(kCases, argc, argv); }
