// Cases of programs that number their system calls themselves.
#include <linux/close_range.h>

#include "calls.hpp"

namespace {

void connecting_by_number(Side& side) {
    if (side.server) {
        const Listening listener = side.offered();
        Name peer;
        const auto fd = static_cast<int>(side.must(
            "accept4",
            static_cast<int>(syscall(SYS_accept4, listener.fd, peer.get(), &peer.length, SOCK_CLOEXEC))));
        side.note_transport(fd);
        side.line("peer named: %d, FD_CLOEXEC %d", peer.port() != 0, fcntl(fd, F_GETFD));
        char bytes[10];
        show_received(side, "read", syscall(SYS_read, fd, bytes, sizeof bytes), bytes);
        side.result("close", syscall(SYS_close, fd));
        return side.meet();
    }
    Name name = name_of(side.address, side.exchange(0));
    const auto fd = static_cast<int>(syscall(SYS_socket, name.storage.ss_family, SOCK_STREAM, 0));
    side.result("connect", syscall(SYS_connect, fd, name.get(), name.length));
    side.note_transport(fd);
    Name peer;
    side.result("getpeername", syscall(SYS_getpeername, fd, peer.get(), &peer.length));
    side.line("peer %s", peer.text().c_str());
    side.result("write", syscall(SYS_write, fd, "by number", 9));
    side.meet();
    char byte;
    side.result("recvfrom", syscall(SYS_recvfrom, fd, &byte, 1, 0, nullptr, nullptr));
    side.result("shutdown", syscall(SYS_shutdown, fd, SHUT_RDWR));
    side.result("close", syscall(SYS_close, fd));
    side.result("close again", syscall(SYS_close, fd));
}

void moving_bytes_by_number(Side& side) {
    const int fd = side.connection();
    char bytes[40] = "";
    if (!side.server) {
        iovec pieces[2] = {{const_cast<char*>("two "), 4}, {const_cast<char*>("pieces"), 6}};
        msghdr message{};
        message.msg_iov = pieces;
        message.msg_iovlen = 2;
        side.result("sendto", syscall(SYS_sendto, fd, "first", 5, MSG_NOSIGNAL, nullptr, 0));
        side.result("writev", syscall(SYS_writev, fd, pieces, 2));
        side.result("sendmsg", syscall(SYS_sendmsg, fd, &message, 0));
        return side.meet();
    }
    await_bytes(fd, 25);
    show_received(side, "recvfrom", syscall(SYS_recvfrom, fd, bytes, 5, MSG_PEEK, nullptr, nullptr), bytes);
    iovec pieces[2] = {{bytes, 5}, {bytes + 5, 10}};
    show_received(side, "readv", syscall(SYS_readv, fd, pieces, 2), bytes);
    msghdr message{};
    message.msg_iov = pieces;
    message.msg_iovlen = 2;
    show_received(side, "recvmsg", syscall(SYS_recvmsg, fd, &message, 0), bytes);
    side.result("recvfrom", syscall(SYS_recvfrom, fd, bytes, 5, MSG_DONTWAIT, nullptr, nullptr));
    side.result("recvfrom of a bad descriptor", syscall(SYS_recvfrom, 999, bytes, 5, 0, nullptr, nullptr));
    int size = -1;
    side.result("ioctl", syscall(SYS_ioctl, fd, FIONREAD, &size));
    side.line("FIONREAD %d", size);
    side.meet();
}

void copies_by_number(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        receive_bytes(side, fd, 4, MSG_WAITALL);
        receive_bytes(side, fd, 1);
        return;
    }
    const auto copy = static_cast<int>(syscall(SYS_dup, fd));
    const auto high = static_cast<int>(syscall(SYS_fcntl, fd, F_DUPFD, 100));
    side.line("dup %d, F_DUPFD %d, dup3 %ld", copy, high, syscall(SYS_dup3, fd, 150, O_CLOEXEC));
    for (int each : {fd, copy, high}) {
        send_bytes(side, each, 1);
        side.result("close", syscall(SYS_close, each));
    }
    send_bytes(side, 150, 1);
    side.result("close_range", syscall(SYS_close_range, 150, 150, 0));
    side.result("send", send(150, "x", 1, MSG_NOSIGNAL));
}

void waiting_by_number(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        side.meet();
        send_bytes(side, fd, 3);
        return side.meet();
    }
    pollfd item{fd, POLLIN, 0};
    timespec timeout{0, 20'000'000};
    side.result("ppoll", syscall(SYS_ppoll, &item, 1, &timeout, nullptr, 8));
    side.line("left: %d", timeout.tv_sec == 0 && timeout.tv_nsec == 0);
    const auto set = static_cast<int>(syscall(SYS_epoll_create1, 0));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = 77;
    side.result("epoll_ctl", syscall(SYS_epoll_ctl, set, EPOLL_CTL_ADD, fd, &event));
    side.result("epoll_pwait", syscall(SYS_epoll_pwait, set, &event, 1, 10, nullptr, 8));
    side.meet();
    timeout = {20, 0};
    side.result("ppoll", syscall(SYS_ppoll, &item, 1, &timeout, nullptr, 8));
    side.line("%s, left: %d", events_text(static_cast<unsigned short>(item.revents)).c_str(),
              timeout.tv_sec < 20 && timeout.tv_sec > 0);
    event = {};
    side.result("epoll_pwait", syscall(SYS_epoll_pwait, set, &event, 1, 20'000, nullptr, 8));
    side.line("%s %llu", events_text(event.events).c_str(), static_cast<unsigned long long>(event.data.u64));
    fd_set in;
    FD_ZERO(&in);
    FD_SET(fd, &in);
    timeout = {20, 0};
    side.result("pselect6", syscall(SYS_pselect6, fd + 1, &in, nullptr, nullptr, &timeout, nullptr));
    side.line("in %d", FD_ISSET(fd, &in));
    side.meet();
}

void other_numbers_are_the_kernels(Side& side) {
    const int fd = side.connection();
    side.line("getpid %d", syscall(SYS_getpid) == getpid());
    side.result("no such call", syscall(100'000));
    side.result("a negative call", syscall(-5));
    int ends[2];
    side.result("pipe2", syscall(SYS_pipe2, ends, 0));
    side.result("write", syscall(SYS_write, ends[1], "abc", 3));
    char bytes[4] = "";
    side.result("read", syscall(SYS_read, ends[0], bytes, sizeof bytes));
    side.line("%s", bytes);
    close(fd);
    side.meet();
}

constexpr Case kCases[] = {
    {"connecting_by_number", connecting_by_number, true},  // another thread may get a number that was closed
    {"moving_bytes_by_number", moving_bytes_by_number},
    {"copies_by_number", copies_by_number, true},
    {"waiting_by_number", waiting_by_number},
    {"other_numbers_are_the_kernels", other_numbers_are_the_kernels},
};

}  // namespace

int main(int argc, char** argv) { return run_cases(kCases, argc, argv); }
