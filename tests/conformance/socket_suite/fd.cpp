// Cases of descriptors: copies, numbers, sweeps that close everything, descriptors handed to others.
#include <linux/close_range.h>

#include "children.hpp"

namespace {

void copies_name_the_same_connection(Side& side) {
    const int fd = side.connection();
    if (!side.server) {
        const int copy = side.result("dup", dup(fd));
        const int high = side.result("F_DUPFD", fcntl(fd, F_DUPFD, 100));
        const int closing = side.result("F_DUPFD_CLOEXEC", fcntl(fd, F_DUPFD_CLOEXEC, 101));
        side.line("FD_CLOEXEC %d %d", fcntl(high, F_GETFD), fcntl(closing, F_GETFD));
        side.result("dup2", dup2(fd, 120));
        side.result("dup3", dup3(fd, 121, O_CLOEXEC));
        side.result("dup2 of itself", dup2(fd, fd));
        side.result("dup3 of itself", dup3(fd, fd, 0));
        for (int each : {fd, copy, high, closing, 120, 121}) {
            send_bytes(side, each, 5);
            side.result("close", close(each));
        }
        side.result("send through the closed one", send(fd, "x", 1, MSG_NOSIGNAL));
        side.meet();
        return;
    }
    receive_bytes(side, fd, 30, MSG_WAITALL);
    side.meet();
    receive_bytes(side, fd, 1);
}

void closing_one_copy_does_not_end_it(Side& side) {
    const int fd = side.connection();
    const int copy = dup(fd);
    close(fd);
    side.meet();
    show_masks(side, copy, "one copy closed");
    side.meet();
    send_bytes(side, copy, 5);
    receive_bytes(side, copy, 5, MSG_WAITALL);
    side.meet();
    if (side.server) close(copy);
    side.meet();
    if (!side.server) receive_bytes(side, copy, 5);
}

void copies_share_their_flags(Side& side) {
    const int fd = side.connection();
    const int copy = dup(fd);
    fcntl(copy, F_SETFL, O_NONBLOCK);
    side.line("O_NONBLOCK %d", (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    receive_bytes(side, fd, 1);
    side.meet();
}

void dup2_over_a_connection_ends_it(Side& side) {
    const int first = side.connection();
    const int second = side.connection();
    if (!side.server) {
        side.line("dup2 %d", dup2(second, first) == first);
        send_bytes(side, first, 7);
        side.meet();
        side.meet();
        return;
    }
    receive_bytes(side, first, 10);
    receive_bytes(side, second, 10);
    side.meet();
    side.meet();
}

void numbers_are_the_lowest_free(Side& side) {
    std::uint64_t port = 0;
    int listener = -1;
    if (side.server) {
        const Listening listening = side.listening();
        listener = listening.fd;
        side.line("listener %d", listener);
        port = side.exchange(listening.port);
    } else {
        port = side.exchange(0);
    }
    int last = -1;
    for (int round = 0; round < 3; ++round) {
        const int fd = side.server ? accept(listener, nullptr, nullptr) : side.connect_to(port);
        side.line("connection %d", fd);
        int ends[2];
        side.must("pipe", pipe(ends));
        side.line("pipe %d %d", ends[0], ends[1]);
        const int set = epoll_create1(0);
        epoll_event event{};
        event.events = EPOLLIN;
        epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
        epoll_wait(set, &event, 1, 20);
        pollfd item{fd, POLLIN, 0};
        poll(&item, 1, 20);
        side.line("set %d, next %d", set, last = dup(0));
        close(last);
        close(ends[0]);
        if (round == 1) close(fd);
        side.meet();
    }
}

void a_sweep_closes_everything(Side& side) {
    const int first = side.connection();
    send_bytes(side, first, 4);
    side.meet();
    const int meeting = fcntl(kMeetingFd, F_GETFD) >= 0 ? kMeetingFd : -1;
    for (int fd = 3; fd < 1024; ++fd) {
        if (fd != meeting) close(fd);
    }
    side.result("the old connection", send(first, "x", 1, MSG_NOSIGNAL));
    const int second = side.connection();
    side.line("number %d", second);
    send_bytes(side, second, 9);
    receive_bytes(side, second, 9, MSG_WAITALL);
    side.meet();
    side.result("close_range", close_range(3, kMeetingFd - 1, 0));
    side.result("close_range", close_range(kMeetingFd + 1, ~0U, 0));
    const int third = side.connection();
    side.line("number %d", third);
    send_bytes(side, third, 11);
    receive_bytes(side, third, 11, MSG_WAITALL);
    side.result("close_range the wrong way", close_range(9, 3, 0));
    side.result("close_range with nonsense", close_range(3, 9, 64));
    side.meet();
}

void close_range_can_mark_instead(Side& side) {
    const int fd = side.connection();
    const auto flags = static_cast<unsigned>(fd);
    side.result("close_range", close_range(flags, flags, CLOSE_RANGE_CLOEXEC));
    side.line("FD_CLOEXEC %d", fcntl(fd, F_GETFD));
    send_bytes(side, fd, 3);
    receive_bytes(side, fd, 3, MSG_WAITALL);
    side.meet();
}

void closefrom_leaves_the_lower_ones(Side& side) {
    const int low = side.connection();
    const int copy = fcntl(low, F_DUPFD, 300);
    closefrom(kMeetingFd + 1);
    side.result("send through the copy", send(copy, "x", 1, MSG_NOSIGNAL));
    send_bytes(side, low, 3);
    receive_bytes(side, low, 3, MSG_WAITALL);
    side.meet();
}

int pass(int through, int fd) {
    char byte = 'f';
    iovec piece{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    if (fd >= 0) {
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(header), &fd, sizeof fd);
        return static_cast<int>(sendmsg(through, &message, 0));
    }
    if (recvmsg(through, &message, 0) <= 0 || CMSG_FIRSTHDR(&message) == nullptr) return -1;
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

void a_connection_is_handed_to_another_process(Side& side) {
    int pair[2];
    side.must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    const pid_t child = fork();
    if (child == 0) {
        const int fd = pass(pair[1], -1);
        char bytes[5];
        const bool got = recv(fd, bytes, sizeof bytes, MSG_WAITALL) == sizeof bytes;
        _exit(got && send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) == sizeof bytes ? 7 : 1);
    }
    const int fd = side.connection();
    if (side.server) {
        side.result("sendmsg of the descriptor", pass(pair[0], fd));
        close(fd);
    } else {
        send_bytes(side, fd, 5);
        receive_bytes(side, fd, 5, MSG_WAITALL);
        side.result("recv at the end", recv(fd, pair, 1, 0));
        kill(child, SIGKILL);
    }
    const int said = exit_code_of(child);
    if (side.server) side.line("the child said %d", said);
    side.meet();
}

constexpr Case kCases[] = {
    {"copies_name_the_same_connection", copies_name_the_same_connection, true},
    {"closing_one_copy_does_not_end_it", closing_one_copy_does_not_end_it},
    {"copies_share_their_flags", copies_share_their_flags},
    {"dup2_over_a_connection_ends_it", dup2_over_a_connection_ends_it},
    {"numbers_are_the_lowest_free", numbers_are_the_lowest_free, true},
    {"a_sweep_closes_everything", a_sweep_closes_everything, true},
    {"close_range_can_mark_instead", close_range_can_mark_instead, true},
    {"closefrom_leaves_the_lower_ones", closefrom_leaves_the_lower_ones, true},
    {"a_connection_is_handed_to_another_process", a_connection_is_handed_to_another_process, true},
};

}  // namespace

int main(int argc, char** argv) { return run_cases(kCases, argc, argv); }
