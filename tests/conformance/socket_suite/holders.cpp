// Cases of what belongs to a socket and not to a process: all that hold it agree, across fork and exec.
#include <netinet/tcp.h>

#include "children.hpp"

namespace {

constexpr timeval kShort{0, 50'000};

// In a child: this program again, as PROGRAM WHAT FD.
[[noreturn]] void become(const char* what, int fd) {
    fcntl(fd, F_SETFD, 0);
    execl("/proc/self/exe", "holders", what, std::to_string(fd).c_str(), nullptr);
    _exit(127);
}

// The errno of a call as an exit code; 0 if it did not fail.
int code_of(ssize_t result) { return result < 0 ? errno : 0; }

int receive_one(int fd) {
    char byte;
    return code_of(recv(fd, &byte, 1, 0));
}

int set_linger(int fd) {
    const linger at_once{1, 0};
    return code_of(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
}

int accept_one(int fd) {
    const int flags = fcntl(fd, F_GETFL);
    if ((flags & O_NONBLOCK) == 0) return 1;
    return code_of(accept(fd, nullptr, nullptr));
}

int make_nonblocking(int fd) { return code_of(fcntl(fd, F_SETFL, O_NONBLOCK)); }

void time_outs_are_those_of_all_holders(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kShort, sizeof kShort);
        const pid_t child = fork();
        if (child == 0) become("receive", fd);
        side.line("the program that inherited it: %s", strerrorname_np(exit_code_of(child)));
        side.line("the one that made it: %s", strerrorname_np(receive_one(fd)));
    }
    side.meet();
}

void a_reset_on_close_is_asked_for_by_any_holder(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        const pid_t child = fork();
        if (child == 0) become("linger", fd);
        side.line("set by another program: %d", exit_code_of(child));
        close(fd);
        side.meet();
        return;
    }
    side.meet();
    side.line("hung up: %d", await(fd, POLLHUP));
    receive_bytes(side, fd, 1);
}

void a_reset_on_close_comes_with_the_end_of_the_process(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        const pid_t child = fork();
        if (child == 0) {
            set_linger(fd);
            raise(SIGKILL);
        }
        close(fd);
        side.line("child's exit code %d", exit_code_of(child));
        side.meet();
        return;
    }
    side.meet();
    side.line("hung up: %d", await(fd, POLLHUP));
    receive_bytes(side, fd, 1);
}

void accepted_sockets_reset_as_their_listener_would(Side& side) {
    if (side.server) {
        const Listening listener = side.offered();
        const int one = 1;
        const timeval patience{30, 0};  // its accept() has it, too
        setsockopt(listener.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        setsockopt(listener.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        set_linger(listener.fd);
        side.meet();
        const int fd = side.accepted(listener);
        side.line("TCP_NODELAY %d, SO_KEEPALIVE %d", option(fd, IPPROTO_TCP, TCP_NODELAY),
                  option(fd, SOL_SOCKET, SO_KEEPALIVE));
        side.line("SO_RCVTIMEO %d s", option(fd, SOL_SOCKET, SO_RCVTIMEO));
        side.meet();
        close(fd);
        side.meet();
        return;
    }
    const std::uint64_t port = side.exchange(0);
    side.meet();
    const int fd = side.connect_to(port);
    side.meet();
    side.meet();
    side.line("hung up: %d", await(fd, POLLHUP));
    receive_bytes(side, fd, 1);
}

void a_listener_stays_non_blocking_over_exec(Side& side) {
    if (!side.server) return side.meet();
    const Listening listener = side.listening();
    side.result("fcntl", fcntl(listener.fd, F_SETFL, O_NONBLOCK));
    const pid_t child = fork();
    if (child == 0) become("accept", listener.fd);
    side.line("the program that inherited it: %s", strerrorname_np(exit_code_of(child)));
    int blocking = 0;
    side.result("ioctl", ioctl(listener.fd, FIONBIO, &blocking));
    side.line("flags 0x%x", static_cast<unsigned>(fcntl(listener.fd, F_GETFL)));
    blocking = 1;
    side.result("ioctl", ioctl(listener.fd, FIONBIO, &blocking));
    side.line("flags 0x%x", static_cast<unsigned>(fcntl(listener.fd, F_GETFL)));
    side.meet();
}

void a_listener_is_made_non_blocking_by_any_holder(Side& side) {
    if (!side.server) return side.meet();
    const Listening listener = side.listening();
    side.line("flags 0x%x", static_cast<unsigned>(fcntl(listener.fd, F_GETFL)));
    const pid_t child = fork();
    if (child == 0) _exit(make_nonblocking(listener.fd));
    side.line("child's exit code %d", exit_code_of(child));
    side.line("flags 0x%x", static_cast<unsigned>(fcntl(listener.fd, F_GETFL)));
    side.result("accept", accept(listener.fd, nullptr, nullptr));
    side.meet();
}

constexpr Case kCases[] = {
    {"time_outs_are_those_of_all_holders", time_outs_are_those_of_all_holders, true},
    {"a_reset_on_close_is_asked_for_by_any_holder", a_reset_on_close_is_asked_for_by_any_holder, true},
    {"a_reset_on_close_comes_with_the_end_of_the_process", a_reset_on_close_comes_with_the_end_of_the_process,
     true},
    {"accepted_sockets_reset_as_their_listener_would", accepted_sockets_reset_as_their_listener_would},
    {"a_listener_stays_non_blocking_over_exec", a_listener_stays_non_blocking_over_exec, true},
    {"a_listener_is_made_non_blocking_by_any_holder", a_listener_is_made_non_blocking_by_any_holder, true},
};

}  // namespace

int main(int argc, char** argv) {
    const std::string what = argc == 3 ? argv[1] : "";
    if (what == "receive") return receive_one(atoi(argv[2]));
    if (what == "linger") return set_linger(atoi(argv[2]));
    if (what == "accept") return accept_one(atoi(argv[2]));
    return run_cases(kCases, argc, argv);
}
