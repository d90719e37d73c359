#include "control/protocol/closing.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/control/agent_process.hpp"
#include "vsock-transport/base/clock.hpp"

namespace xylem {
namespace {

using agent_test::eventually;

struct TcpPair {
    UniqueFd near;
    UniqueFd far;
};

TcpPair tcp_pair() {
    const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof name;
    auto* address = reinterpret_cast<sockaddr*>(&name);
    EXPECT_EQ(::bind(listener.get(), address, length), 0);
    EXPECT_EQ(::listen(listener.get(), 1), 0);
    EXPECT_EQ(::getsockname(listener.get(), address, &length), 0);
    TcpPair pair{UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), UniqueFd()};
    EXPECT_EQ(::connect(pair.near.get(), address, length), 0);
    pair.far.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    return pair;
}

bool is_hung_up(int fd) {
    pollfd item{fd, POLLIN, 0};
    return ::poll(&item, 1, 0) == 1 && (item.revents & POLLHUP) != 0;
}

// Whose close(2) waits for as long as its owner said.
UniqueFd lingering_socket(TcpPair& pair) {
    const linger how{1, 600};
    EXPECT_EQ(::setsockopt(pair.near.get(), SOL_SOCKET, SO_LINGER, &how, sizeof how), 0);
    const std::string much(1 << 16, 'x');
    while (::send(pair.near.get(), much.data(), much.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
    }
    return std::move(pair.near);
}

TEST(closing_beside, of_sockets_that_linger_holds_up_neither_the_caller_nor_what_is_closed_later) {
    std::vector<TcpPair> pairs;
    const std::uint64_t begin_ns = now_ns();
    for (int i = 0; i < 3; ++i) {
        close_beside(lingering_socket(pairs.emplace_back(tcp_pair())));
    }
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const UniqueFd reader(ends[0]);
    close_beside(UniqueFd(ends[1]));
    EXPECT_TRUE(eventually([&] { return is_hung_up(reader.get()); }));
    EXPECT_LT(now_ns() - begin_ns, 300 * kNsPerSecond);
}

// As many as one message can have, all of one socket.
void send_many(int socket, UniqueFd sent) {
    char byte = 0;
    iovec piece{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(kMostSentFds * sizeof(int))] = {};
    msghdr header{};
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(kMostSentFds * sizeof(int));
    const std::vector<int> fds(kMostSentFds, sent.get());
    std::memcpy(CMSG_DATA(rights), fds.data(), kMostSentFds * sizeof(int));
    ASSERT_EQ(::sendmsg(socket, &header, 0), 1);
}

TEST(closing_beside, of_a_message_does_not_wait_for_more_descriptors_than_any_of_ours_has) {
    TcpPair pair = tcp_pair();
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    const UniqueFd peer(ends[0]);
    const UniqueFd own(ends[1]);
    send_many(peer.get(), lingering_socket(pair));
    const std::uint64_t begin_ns = now_ns();
    Received message;
    ASSERT_TRUE(receive_message(own.get(), message));
    EXPECT_EQ(message.fd_count + message.surplus_count, kMostSentFds);
    close_rest_beside(message);
    EXPECT_LT(now_ns() - begin_ns, 300 * kNsPerSecond);
}

TEST(closing_beside, of_a_connection_does_not_wait_for_what_its_peer_sent_and_nobody_read) {
    TcpPair pair = tcp_pair();
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    const UniqueFd peer(ends[0]);
    send_many(peer.get(), lingering_socket(pair));
    const std::uint64_t begin_ns = now_ns();
    hang_up_beside(UniqueFd(ends[1]));
    EXPECT_TRUE(is_hung_up(peer.get()));
    EXPECT_LT(now_ns() - begin_ns, 300 * kNsPerSecond);
}

TEST(closing_beside, of_a_programs_descriptors_is_done_at_once_where_it_cannot_wait) {
    Received message;
    TcpPair pair = tcp_pair();
    const int fd = pair.near.get();
    message.fds[0] = std::move(pair.near);
    message.fd_count = 1;
    close_rest_of_program(message);
    EXPECT_EQ(::fcntl(fd, F_GETFD), -1);
}

}  // namespace
}  // namespace xylem
