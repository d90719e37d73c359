// Cases of the flags of send and recv, of many vectors and many messages, and of calls on closed ends.
#include <limits.h>
#include <netinet/tcp.h>
#include <time.h>

#include "calls.hpp"

namespace {

void flags_of_sending(Side& side) {
    const int fd = side.connection();
    if (!side.server) {
        for (const int flags : {int{MSG_MORE}, int{MSG_DONTWAIT}, int{MSG_EOR}, int{MSG_CONFIRM},
                                int{MSG_DONTROUTE}, MSG_MORE | MSG_DONTWAIT, 0})
            send_bytes(side, fd, 10, flags | MSG_NOSIGNAL);
        side.meet();
        side.meet();
        return;
    }
    side.meet();
    receive_bytes(side, fd, 70, MSG_WAITALL);
    receive_bytes(side, fd, 10, MSG_DONTWAIT);
    side.meet();
}

void more_is_sent_in_the_end(Side& side) {
    const int fd = side.connection();
    if (!side.server) {
        send_bytes(side, fd, 10, MSG_MORE | MSG_NOSIGNAL);
        send_bytes(side, fd, 20, MSG_NOSIGNAL, 10);
        side.meet();
        const int on = 1, off = 0;
        side.result("cork", setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on));
        send_bytes(side, fd, 10);
        send_bytes(side, fd, 20, MSG_NOSIGNAL, 10);
        side.result("uncork", setsockopt(fd, IPPROTO_TCP, TCP_CORK, &off, sizeof off));
        side.meet();
        return;
    }
    for (int i = 0; i < 2; ++i) {
        receive_bytes(side, fd, 30, MSG_WAITALL);
        side.meet();
    }
}

void flags_of_receiving(Side& side) {
    const int fd = side.connection();
    if (!side.server) {
        send_bytes(side, fd, 100);
        side.meet();
        side.meet();
        return;
    }
    side.meet();
    await_bytes(fd, 100);
    receive_bytes(side, fd, 10, MSG_PEEK | MSG_DONTWAIT);
    side.result("peek and truncate", recv(fd, nullptr, 10, MSG_PEEK | MSG_TRUNC));
    receive_bytes(side, fd, 10, MSG_CMSG_CLOEXEC);
    receive_bytes(side, fd, 10, MSG_NOSIGNAL);
    receive_bytes(side, fd, 0, MSG_PEEK);
    side.result("truncate, wait for all", recv(fd, nullptr, 10, MSG_TRUNC | MSG_WAITALL));
    receive_bytes(side, fd, 100, MSG_DONTWAIT | MSG_WAITALL);
    receive_bytes(side, fd, 0, MSG_PEEK | MSG_DONTWAIT);
    side.result("truncate nothing", recv(fd, nullptr, 10, MSG_TRUNC | MSG_DONTWAIT));
    side.meet();
}

void peeking_waits_and_ends(Side& side) {
    const int fd = side.connection();
    if (!side.server) {
        usleep(20'000);
        send_bytes(side, fd, 10);
        side.meet();
        usleep(20'000);
        send_bytes(side, fd, 10);
        shutdown(fd, SHUT_WR);
        side.meet();
        return;
    }
    receive_bytes(side, fd, 5, MSG_PEEK);
    side.meet();
    receive_bytes(side, fd, 20, MSG_PEEK | MSG_WAITALL);
    receive_bytes(side, fd, 100, MSG_PEEK | MSG_WAITALL);
    receive_bytes(side, fd, 100, MSG_WAITALL);
    receive_bytes(side, fd, 100, MSG_PEEK);
    receive_bytes(side, fd, 100, MSG_PEEK | MSG_DONTWAIT);
    side.meet();
}

void vectors_up_to_the_limit(Side& side) {
    const int fd = side.connection();
    constexpr std::size_t kPieces = IOV_MAX;
    constexpr std::size_t kSize = 3 * kPieces;
    std::string bytes = side.server ? std::string(kSize, '\0') : pattern(kSize);
    std::vector<iovec> pieces(kPieces);
    for (std::size_t i = 0; i < kPieces; ++i) pieces[i] = {bytes.data() + 3 * i, i % 5 == 4 ? 0U : 3U};
    if (!side.server) {
        side.result("writev", writev(fd, pieces.data(), IOV_MAX));
        msghdr message{};
        message.msg_iov = pieces.data();
        message.msg_iovlen = kPieces;
        side.result("sendmsg", sendmsg(fd, &message, MSG_NOSIGNAL));
        pieces[3].iov_len = static_cast<std::size_t>(-1);
        side.result("writev of a negative length", writev(fd, pieces.data(), 10));
        side.meet();
        side.meet();
        return;
    }
    side.meet();
    const int expected = static_cast<int>(3 * (kPieces - kPieces / 5));
    await_bytes(fd, 2 * expected);
    side.result("readv", readv(fd, pieces.data(), IOV_MAX));
    side.line("hash %016llx", static_cast<unsigned long long>(hash_of(bytes.data(), bytes.size())));
    side.result("readv of nothing", readv(fd, pieces.data(), 0));
    pieces[3].iov_len = static_cast<std::size_t>(-1);
    side.result("readv of a negative length", readv(fd, pieces.data(), 10));
    receive_bytes(side, fd, kSize, MSG_DONTWAIT);
    side.meet();
}

// preadv2 and its kin read and write at the current position, which a stream has, if the offset is -1.
void vectors_at_an_offset(Side& side) {
    const int fd = side.connection();
    char bytes[30] = "a quick brown fox jumps over";
    const iovec pieces[2] = {{bytes, 10}, {bytes + 10, 10}};
    if (!side.server) {
        side.result("pwritev", pwritev(fd, pieces, 2, 0));
        side.result("pwritev at -1", pwritev(fd, pieces, 2, -1));
        side.result("pwritev2", pwritev2(fd, pieces, 2, 0, 0));
        side.result("pwritev2 at -1", pwritev2(fd, pieces, 2, -1, 0));
        side.result("pwritev2 without waiting", pwritev2(fd, pieces, 2, -1, RWF_NOWAIT));
        side.result("pwritev2 with nonsense", pwritev2(fd, pieces, 2, -1, 1 << 20));
        side.result("pwritev2 at -2", pwritev2(fd, pieces, 2, -2, 0));
        side.meet();
        side.meet();
        return;
    }
    side.meet();
    await_bytes(fd, 40);
    const volatile int too_many = IOV_MAX + 1;
    side.result("preadv", preadv(fd, pieces, 2, 0));
    side.result("preadv at -1", preadv(fd, pieces, 2, -1));
    side.result("preadv2", preadv2(fd, pieces, 2, 7, 0));
    side.result("preadv2 at -1", preadv2(fd, pieces, 2, -1, 0));
    side.result("preadv2 without waiting", preadv2(fd, pieces, 2, -1, RWF_NOWAIT));
    side.result("preadv2 of nothing without waiting", preadv2(fd, pieces, 2, -1, RWF_NOWAIT));
    side.result("preadv2 with nonsense", preadv2(fd, pieces, 2, -1, 1 << 20));
    side.result("preadv2 of too many", preadv2(fd, pieces, too_many, -1, 0));
    side.line("hash %016llx", static_cast<unsigned long long>(hash_of(bytes, sizeof bytes)));
    side.meet();
}

void many_messages_take_their_time(Side& side) {
    const int fd = side.connection();
    char bytes[3][10] = {};
    iovec pieces[3];
    mmsghdr messages[3] = {};
    for (int i = 0; i < 3; ++i) {
        pieces[i] = {bytes[i], sizeof bytes[i]};
        messages[i].msg_hdr.msg_iov = pieces + i;
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    if (!side.server) {
        for (int i = 0; i < 6; ++i) {
            usleep(i < 3 ? 30'000 : 0);
            send_bytes(side, fd, 10);
        }
        side.meet();
        side.meet();
        return;
    }
    timespec patience{kPatienceMs / 1000, 0}, none{0, 0}, nonsense{0, 2'000'000'000}, soon{0, 10'000'000};
    side.result("recvmmsg", recvmmsg(fd, messages, 2, MSG_WAITALL, &patience));
    side.line("time is left: %d", patience.tv_sec > 0);
    side.result("with the time of one", recvmmsg(fd, messages, 3, MSG_WAITALL, &soon));
    side.line("left %ld.%09ld", static_cast<long>(soon.tv_sec), soon.tv_nsec);
    side.meet();
    await_bytes(fd, 30);
    side.result("without time", recvmmsg(fd, messages, 3, 0, &none));
    side.result("with nonsense", recvmmsg(fd, messages, 3, 0, &nonsense));
    side.result("of none", recvmmsg(fd, messages, 0, 0, nullptr));
    side.result("the rest", recvmmsg(fd, messages, 3, MSG_WAITFORONE, nullptr));
    side.result("of nothing", recvmmsg(fd, messages, 3, MSG_DONTWAIT, nullptr));
    const timeval timeout{0, 20'000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    side.result("after SO_RCVTIMEO", recvmmsg(fd, messages, 3, 0, nullptr));
    side.meet();
}

void calls_on_closed_ends(Side& side) {
    count_pipe_signals();
    const int fd = side.connection();
    side.meet();
    if (side.server) {
        close(fd);
        side.meet();
        return;
    }
    side.meet();
    await(fd, POLLRDHUP);
    char bytes[20] = "";
    iovec pieces[2] = {{bytes, 10}, {bytes + 10, 10}};
    mmsghdr messages[2] = {};
    for (int i = 0; i < 2; ++i) {
        messages[i].msg_hdr.msg_iov = pieces + i;
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    side.result("read", read(fd, bytes, 10));
    side.result("readv", readv(fd, pieces, 2));
    side.result("preadv2", preadv2(fd, pieces, 2, -1, 0));
    side.result("recvmsg", recvmsg(fd, &messages[0].msg_hdr, 0));
    side.result("recvmmsg", recvmmsg(fd, messages, 2, 0, nullptr));
    side.result("writev", writev(fd, pieces, 2));
    await(fd, POLLERR);
    const auto signalled = [&](const char* what, ssize_t result) {
        side.result(what, result);
        side.line("signals %d", pipe_signals.exchange(0));
    };
    signalled("writev", writev(fd, pieces, 2));
    signalled("pwritev2", pwritev2(fd, pieces, 2, -1, 0));
    signalled("sendmsg", sendmsg(fd, &messages[0].msg_hdr, 0));
    signalled("sendmsg quietly", sendmsg(fd, &messages[0].msg_hdr, MSG_NOSIGNAL));
    signalled("sendmmsg", sendmmsg(fd, messages, 2, 0));
    signalled("sendmmsg quietly", sendmmsg(fd, messages, 2, MSG_NOSIGNAL));
    signalled("send of nothing", send(fd, bytes, 0, 0));
    side.result("readv", readv(fd, pieces, 2));
}

void urgent_bytes_in_the_stream(Side& side) {
    const int fd = side.connection();
    const int on = 1;
    side.result("SO_OOBINLINE", setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on));
    if (!side.server) {
        send_bytes(side, fd, 10);
        send_bytes(side, fd, 3, MSG_OOB | MSG_NOSIGNAL, 10);
        send_bytes(side, fd, 10, MSG_NOSIGNAL, 13);
        side.meet();
        side.meet();
        return;
    }
    side.meet();
    await_bytes(fd, 23);
    std::string bytes(23, '\0');
    std::size_t got = 0;
    while (got < bytes.size()) {
        const ssize_t now = recv(fd, bytes.data() + got, bytes.size() - got, 0);  // stops at the urgent byte
        if (now <= 0) break;
        got += static_cast<std::size_t>(now);
    }
    side.line("all in its place: %d", bytes == pattern(23));
    receive_bytes(side, fd, 1, MSG_OOB);
    side.meet();
}

constexpr Case kCases[] = {
    {"flags_of_sending", flags_of_sending},
    {"more_is_sent_in_the_end", more_is_sent_in_the_end},
    {"flags_of_receiving", flags_of_receiving},
    {"peeking_waits_and_ends", peeking_waits_and_ends},
    {"vectors_up_to_the_limit", vectors_up_to_the_limit},
    {"vectors_at_an_offset", vectors_at_an_offset},
    {"many_messages_take_their_time", many_messages_take_their_time},
    {"calls_on_closed_ends", calls_on_closed_ends, true},
    {"urgent_bytes_in_the_stream", urgent_bytes_in_the_stream},
};

}  // namespace

int main(int argc, char** argv) { return run_cases(kCases, argc, argv); }
