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

// close(2) of such a socket waits for as long as its owner said.
TEST(closing_beside, of_sockets_that_linger_holds_up_neither_the_caller_nor_what_is_closed_later) {
    std::vector<TcpPair> pairs;
    const std::uint64_t begin_ns = now_ns();
    for (int i = 0; i < 3; ++i) {
        TcpPair& pair = pairs.emplace_back(tcp_pair());
        const linger how{1, 600};
        ASSERT_EQ(::setsockopt(pair.near.get(), SOL_SOCKET, SO_LINGER, &how, sizeof how), 0);
        const std::string much(1 << 16, 'x');
        while (::send(pair.near.get(), much.data(), much.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
        }
        close_beside(std::move(pair.near));
    }
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const UniqueFd reader(ends[0]);
    close_beside(UniqueFd(ends[1]));
    EXPECT_TRUE(eventually([&] { return is_hung_up(reader.get()); }));
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
