// Cases of moving bytes: flags of recv and send, vectors, messages, files.
#include <linux/sockios.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "calls.hpp"

namespace {

void nonblocking_by_fcntl_and_by_ioctl(Side& side) {
    const int fd = side.connection();
    const auto blocking = [&] { return (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0; };
    side.line("blocking %d", blocking());
    side.result("fcntl", fcntl(fd, F_SETFL, O_NONBLOCK));
    side.line("blocking %d", blocking());
    receive_bytes(side, fd, 10);
    int value = 0;
    side.result("ioctl FIONBIO", ioctl(fd, FIONBIO, &value));
    side.line("blocking %d", blocking());
    const timeval timeout{0, 20'000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    receive_bytes(side, fd, 10);
    value = 1;
    side.result("ioctl FIONBIO", ioctl(fd, FIONBIO, &value));
    receive_bytes(side, fd, 10);
    side.meet();
    if (!side.server) send_bytes(side, fd, 10);
    side.meet();
    if (side.server) {
        await_bytes(fd, 10);
        receive_bytes(side, fd, 10);
    }
    side.meet();
}

void a_full_connection_says_eagain(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        const std::uint64_t size = side.exchange(0);
        side.line("all of it came: %d", drain(fd, size) == size);
        side.meet();
        side.meet();
        return;
    }
    const std::size_t size = fill(fd);
    side.line("something went in: %d", size > 0);
    send_bytes(side, fd, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    show_masks(side, fd, "full");
    const timeval timeout{0, 20'000};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    send_bytes(side, fd, 1);
    side.exchange(size);
    side.meet();
    side.line("writable: %d", await(fd, POLLOUT));
    show_masks(side, fd, "drained");
    send_bytes(side, fd, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    side.meet();
}

void peeking_leaves_the_bytes(Side& side) {
    const int fd = side.connection();
    if (!side.server) {
        receive_bytes(side, fd, 4, MSG_PEEK | MSG_DONTWAIT);
        send_bytes(side, fd, 8);
        side.meet();
        side.meet();
        return;
    }
    side.meet();
    await_bytes(fd, 8);
    receive_bytes(side, fd, 3, MSG_PEEK);
    receive_bytes(side, fd, 100, MSG_PEEK);
    receive_bytes(side, fd, 3);
    receive_bytes(side, fd, 100, MSG_PEEK);
    receive_bytes(side, fd, 5, MSG_PEEK | MSG_WAITALL);
    receive_bytes(side, fd, 100);
    receive_bytes(side, fd, 100, MSG_PEEK | MSG_DONTWAIT);
    side.meet();
}

void waitall_waits_for_all(Side& side) {
    const int fd = side.connection();
    if (!side.server) {
        for (int i = 0; i < 4; ++i) {
            send_bytes(side, fd, 1000, MSG_NOSIGNAL, static_cast<std::uint64_t>(i) * 1000);
            usleep(10'000);
        }
        side.meet();
        send_bytes(side, fd, 10);
        shutdown(fd, SHUT_WR);
        side.meet();
        return;
    }
    receive_bytes(side, fd, 4000, MSG_WAITALL);
    side.meet();
    receive_bytes(side, fd, 100, MSG_WAITALL);
    receive_bytes(side, fd, 100, MSG_WAITALL);
    side.meet();
}

void waitall_gives_what_came_in_time(Side& side) {
    const int fd = side.connection();
    if (!side.server) send_bytes(side, fd, 10);
    side.meet();
    if (side.server) {
        const timeval timeout{0, 50'000};
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
        receive_bytes(side, fd, 20, MSG_WAITALL);
        receive_bytes(side, fd, 20, MSG_WAITALL);
        receive_bytes(side, fd, 20, MSG_WAITALL | MSG_DONTWAIT);
    }
    side.meet();
}

void truncation_discards(Side& side) {
    const int fd = side.connection();
    if (!side.server) {
        send_bytes(side, fd, 100);
        side.meet();
        side.meet();
        return;
    }
    side.meet();
    await_bytes(fd, 100);
    char untouched[30] = "nothing is written here";
    side.result("recv with MSG_TRUNC", recv(fd, untouched, 30, MSG_TRUNC));
    side.line("buffer: %s", untouched);
    side.result("recv to nowhere with MSG_TRUNC", recv(fd, nullptr, 20, MSG_TRUNC));
    receive_bytes(side, fd, 100);
    side.meet();
}

void empty_calls(Side& side) {
    const int fd = side.connection();
    if (!side.server) {
        send_bytes(side, fd, 0);
        side.result("write of nothing", write(fd, "", 0));
        side.result("writev of nothing", writev(fd, nullptr, 0));
        side.result("read of nothing", read(fd, nullptr, 0));
        send_bytes(side, fd, 5);
        side.meet();
        side.meet();
        return;
    }
    side.meet();
    await_bytes(fd, 5);
    receive_bytes(side, fd, 0);
    receive_bytes(side, fd, 0, MSG_DONTWAIT);
    receive_bytes(side, fd, 5);
    receive_bytes(side, fd, 0, MSG_DONTWAIT);
    side.meet();
}

void bad_arguments(Side& side) {
    const int fd = side.connection();
    send_bytes(side, fd, 10);
    side.meet();
    await_bytes(fd, 10);
    iovec piece{};
    const volatile int too_many = IOV_MAX + 1;
    const volatile int negative = -1;
    side.result("readv of too many", readv(fd, &piece, too_many));
    side.result("writev of less than none", writev(fd, &piece, negative));
    receive_bytes(side, fd, 10, MSG_OOB);
    receive_bytes(side, fd, 10, MSG_ERRQUEUE);
    side.result("lseek", lseek(fd, 0, SEEK_SET));
    char byte = 0;
    side.result("pread", pread(fd, &byte, 1, 0));
    side.result("pwrite", pwrite(fd, &byte, 1, 0));
    side.result("shutdown nonsense", shutdown(fd, 7));
    side.result("fsync", fsync(fd));
    struct stat about;
    side.result("fstat", fstat(fd, &about));
    side.line("is a socket: %d", S_ISSOCK(about.st_mode));
    receive_bytes(side, fd, 10);
    side.meet();
}

void sizes_of_what_waits(Side& side) {
    const int fd = side.connection();
    int size = -1;
    side.result("FIONREAD", ioctl(fd, FIONREAD, &size));
    side.line("%d bytes", size);
    side.meet();
    if (!side.server) send_bytes(side, fd, 1234);
    side.meet();
    if (side.server) {
        side.line("they came: %d", await_bytes(fd, 1234));
        ioctl(fd, FIONREAD, &size);
        side.line("%d bytes", size);
        receive_bytes(side, fd, 234);
        ioctl(fd, FIONREAD, &size);
        side.line("%d bytes", size);
        receive_bytes(side, fd, 1000);
    }
    side.meet();
    for (int left = 1000; left > 0 && ioctl(fd, SIOCOUTQ, &size) == 0 && size > 0; --left) usleep(2000);
    side.line("%d bytes unsent", size);
    side.meet();
}

void receiving_waits_for_the_low_water_mark(Side& side) {
    const int fd = side.connection();
    if (!side.server) {
        send_bytes(side, fd, 10);
        side.meet();
        side.meet();
        send_bytes(side, fd, 30);
        side.meet();
        return;
    }
    const int low = 20;
    side.result("set SO_RCVLOWAT", setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof low));
    side.line("SO_RCVLOWAT %d", option(fd, SOL_SOCKET, SO_RCVLOWAT));
    side.meet();
    await_bytes(fd, 10);
    show_masks(side, fd, "below the mark");
    side.meet();
    receive_bytes(side, fd, 100);
    side.meet();
}

void timeouts_are_kept(Side& side) {
    const int fd = side.connection();
    const timeval receive{1, 500'000};
    const timeval send_time{0, 40'000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &receive, sizeof receive);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &send_time, sizeof send_time);
    timeval value{};
    socklen_t length = sizeof value;
    side.result("get SO_RCVTIMEO", getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &value, &length));
    side.line("%ld.%06ld, length %u", static_cast<long>(value.tv_sec), static_cast<long>(value.tv_usec),
              length);
    const timeval bad{0, 2'000'000};
    side.result("set nonsense", setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bad, sizeof bad));
    const timeval soon{0, 30'000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
    receive_bytes(side, fd, 10);
    side.result("read", read(fd, &value, 1));
    side.meet();
}

constexpr Case kCases[] = {
    {"nonblocking_by_fcntl_and_by_ioctl", nonblocking_by_fcntl_and_by_ioctl},
    {"a_full_connection_says_eagain", a_full_connection_says_eagain},
    {"peeking_leaves_the_bytes", peeking_leaves_the_bytes},
    {"waitall_waits_for_all", waitall_waits_for_all},
    {"waitall_gives_what_came_in_time", waitall_gives_what_came_in_time},
    {"truncation_discards", truncation_discards},
    {"empty_calls", empty_calls},
    {"bad_arguments", bad_arguments},
    {"sizes_of_what_waits", sizes_of_what_waits},
    {"receiving_waits_for_the_low_water_mark", receiving_waits_for_the_low_water_mark},
    {"timeouts_are_kept", timeouts_are_kept},
};

}  // namespace

int main(int argc, char** argv) { return run_cases(kCases, argc, argv); }
