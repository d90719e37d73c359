// Cases of descriptors that travel in messages (SCM_RIGHTS), and of servers whose processes share the work.

#include "children.hpp"

namespace {

// One byte with these descriptors.
int pass(int through, const std::vector<int>& fds) {
    char byte = 'f';
    iovec piece{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    memcpy(CMSG_DATA(header), fds.data(), fds.size() * sizeof(int));
    return static_cast<int>(sendmsg(through, &message, 0));
}

// The descriptors of the next message; many: by recvmmsg.
std::vector<int> take(int through, bool many = false) {
    char byte;
    iovec piece{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))] = {};
    mmsghdr message{};
    message.msg_hdr.msg_iov = &piece;
    message.msg_hdr.msg_iovlen = 1;
    message.msg_hdr.msg_control = control;
    message.msg_hdr.msg_controllen = sizeof control;
    if (many && recvmmsg(through, &message, 1, 0, nullptr) != 1) return {};
    if (!many && recvmsg(through, &message.msg_hdr, 0) <= 0) return {};
    const cmsghdr* header = CMSG_FIRSTHDR(&message.msg_hdr);
    if (header == nullptr) return {};
    std::vector<int> fds((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    memcpy(fds.data(), CMSG_DATA(header), fds.size() * sizeof(int));
    return fds;
}

struct Pair {
    explicit Pair(Side& side) { side.must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, ends)); }
    int ends[2];
};

// Sends back what it receives, until the peer ends.
void echo(int fd) {
    char bytes[100];
    ssize_t got = 0;
    while ((got = recv(fd, bytes, sizeof bytes, 0)) > 0) {
        if (send(fd, bytes, static_cast<std::size_t>(got), MSG_NOSIGNAL) != got) _exit(1);
    }
    _exit(got == 0 ? 7 : 2);
}

void talk(Side& side, int fd) {
    send_bytes(side, fd, 50);
    receive_bytes(side, fd, 50, MSG_WAITALL);
    shutdown(fd, SHUT_WR);
    receive_bytes(side, fd, 1);
}

// The sender closes and sleeps long before the receiver looks; in between the connection lives in the
// message.
void a_message_that_waits(Side& side) {
    Pair pair(side);
    const int fd = side.connection();
    if (!side.server) return talk(side, fd);
    side.result("sendmsg", pass(pair.ends[0], {fd}));
    side.result("close", close(fd));
    usleep(300'000);
    const pid_t child = fork();
    if (child == 0) {
        const std::vector<int> fds = take(pair.ends[1]);
        if (fds.size() != 1) _exit(1);
        echo(fds[0]);
    }
    side.line("child's exit code %d", exit_code_of(child));
}

void a_sender_that_exits(Side& side) {
    Pair pair(side);
    if (!side.server) return talk(side, side.connection());
    const Listening listener = side.listening();
    const pid_t sender = fork();
    if (sender == 0) {
        const int fd = accept(listener.fd, nullptr, nullptr);
        pass(pair.ends[0], {fd});
        _exit(fd >= 0 ? 0 : 1);
    }
    close(listener.fd);
    side.exchange(listener.port);
    side.line("sender's exit code %d", exit_code_of(sender));
    side.meet();
    const pid_t child = fork();
    if (child == 0) {
        const std::vector<int> fds = take(pair.ends[1], true);
        if (fds.size() != 1) _exit(1);
        echo(fds[0]);
    }
    side.line("child's exit code %d", exit_code_of(child));
}

// A message that nobody ever receives ends its connection when its socket is closed.
void a_message_that_is_never_received(Side& side) {
    Pair pair(side);
    const int fd = side.connection();
    if (!side.server) {
        receive_bytes(side, fd, 1);
        return side.meet();
    }
    pass(pair.ends[0], {fd});
    close(fd);
    usleep(50'000);
    close(pair.ends[0]);
    close(pair.ends[1]);
    side.meet();
}

void several_in_one_message(Side& side) {
    Pair pair(side);
    const int first = side.connection();
    const int second = side.connection();
    if (!side.server) {
        for (int fd : {first, second}) {
            send_bytes(side, fd, 30);
            receive_bytes(side, fd, 30, MSG_WAITALL);
        }
        return side.meet();
    }
    pass(pair.ends[0], {first, 0, second});
    close(first);
    close(second);
    const std::vector<int> fds = take(pair.ends[1]);
    side.line("received %zu", fds.size());
    for (std::size_t i : {std::size_t{0}, std::size_t{2}}) {
        receive_bytes(side, fds[i], 30, MSG_WAITALL);
        send_bytes(side, fds[i], 30);
    }
    side.meet();
}

// To the process that has it already, under another number.
void a_message_to_oneself(Side& side) {
    Pair pair(side);
    const int fd = side.connection();
    pass(pair.ends[0], {fd});
    const std::vector<int> fds = take(pair.ends[1]);
    side.line("another number: %d", fds.size() == 1 && fds[0] != fd);
    close(fd);
    send_bytes(side, fds[0], 10);
    receive_bytes(side, fds[0], 10, MSG_WAITALL);
    close(fds[0]);
    side.meet();
}

void a_listener_is_handed_over(Side& side) {
    Pair pair(side);
    if (!side.server) {
        const std::uint64_t port = side.exchange(0);
        talk(side, side.connect_to(port));
        return side.meet();
    }
    const pid_t child = fork();
    if (child == 0) {
        const std::vector<int> fds = take(pair.ends[1]);
        pass(pair.ends[1], {0});
        echo(fds.size() == 1 ? accept(fds[0], nullptr, nullptr) : -1);
    }
    const Listening listener = side.listening();
    pass(pair.ends[0], {listener.fd});
    close(listener.fd);
    take(pair.ends[0]);
    side.exchange(listener.port);
    side.line("child's exit code %d", exit_code_of(child));
    side.meet();
}

// inetd, sshd, postgres: the parent accepts, a child serves, the parent closes.
void a_child_for_each_call(Side& side) {
    constexpr int kCalls = 5;
    if (!side.server) {
        const std::uint64_t port = side.exchange(0);
        for (int i = 0; i < kCalls; ++i) talk(side, side.connect_to(port));
        return side.meet();
    }
    const Listening listener = side.offered();
    std::vector<pid_t> children;
    for (int i = 0; i < kCalls; ++i) {
        const int fd = side.accepted(listener);
        children.push_back(fork());
        if (children.back() == 0) {
            close(listener.fd);
            echo(fd);
        }
        close(fd);
    }
    for (const pid_t child : children) side.line("child's exit code %d", exit_code_of(child));
    side.meet();
}

void a_daemon_goes_on(Side& side) {
    const int fd = side.connection();
    if (!side.server) return talk(side, fd);
    const pid_t child = fork();
    if (child == 0) {
        if (daemon(0, 0) != 0) _exit(1);
        echo(fd);
    }
    close(fd);
    side.line("exit code of the daemon's parent %d", exit_code_of(child));
}

// Ends of processes without a word: the peer reads all that was sent, then the end.
void ends_without_a_word(Side& side) {
    if (side.server) {
        const Listening listener = side.offered();
        for (int i = 0; i < 3; ++i) {
            const int fd = side.accepted(listener);
            receive_bytes(side, fd, 500, MSG_WAITALL);
            receive_bytes(side, fd, 1);
        }
        return side.meet();
    }
    const std::uint64_t port = side.exchange(0);
    for (int i = 0; i < 3; ++i) {
        const pid_t child = fork();
        if (child == 0) {
            Side own(false, side.address, -1);
            const int fd = own.connect_to(port);
            const std::string bytes = pattern(500);
            if (send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) != 500) _exit(1);
            if (i == 0) abort();
            if (i == 1) raise(SIGKILL);
            *static_cast<volatile int*>(nullptr) = 1;
        }
        side.line("child's exit code %d", exit_code_of(child));
    }
    side.meet();
}

constexpr Case kCases[] = {
    {"a_message_that_waits", a_message_that_waits, true},
    {"a_sender_that_exits", a_sender_that_exits, true},
    {"a_message_that_is_never_received", a_message_that_is_never_received, true},
    {"several_in_one_message", several_in_one_message, true},
    {"a_message_to_oneself", a_message_to_oneself, true},
    {"a_listener_is_handed_over", a_listener_is_handed_over, true},
    {"a_child_for_each_call", a_child_for_each_call, true},
    {"a_daemon_goes_on", a_daemon_goes_on, true},
    {"ends_without_a_word", ends_without_a_word, true},
};

}  // namespace

int main(int argc, char** argv) { return run_cases(kCases, argc, argv); }
