// Ends and listeners whose kernel socket the agent was shown: they live as long as that does.
#include "control/agent/kernel_socket.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/control/child_program.hpp"
#include "tests/control/scripted_client.hpp"
#include "tests/control/two_domains.hpp"

namespace xylem::agent_test {
namespace {

using agent::KernelSocket;

UniqueFd tcp_socket() { return UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

std::uint64_t cookie_of(const UniqueFd& fd) {
    std::uint64_t cookie = 0;
    socklen_t length = sizeof cookie;
    EXPECT_EQ(::getsockopt(fd.get(), SOL_SOCKET, SO_COOKIE, &cookie, &length), 0);
    return cookie;
}

TEST(KernelSocketWatch, a_socket_exists_until_its_last_descriptor_is_closed) {
    UniqueFd fd = tcp_socket();
    const KernelSocket socket(fd.get());
    EXPECT_EQ(socket.cookie(), cookie_of(fd));
    UniqueFd copy(::dup(fd.get()));
    fd.reset();
    EXPECT_TRUE(socket.exists());
    copy.reset();
    EXPECT_FALSE(socket.exists());
}

TEST(KernelSocketWatch, a_socket_on_its_way_in_a_message_exists) {
    int pair[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    UniqueFd near(pair[0]), far(pair[1]);
    UniqueFd fd = tcp_socket();
    const KernelSocket socket(fd.get());
    const int sent = fd.get();
    ASSERT_TRUE(send_message(near.get(), "x", 1, &sent, 1));
    fd.reset();
    EXPECT_TRUE(socket.exists());
    far.reset();
    EXPECT_FALSE(socket.exists());
}

TEST(KernelSocketWatch, many_are_told_apart) {
    std::vector<UniqueFd> fds;
    std::vector<KernelSocket> sockets;
    for (int i = 0; i < 200; ++i) {
        fds.push_back(tcp_socket());
        sockets.emplace_back(fds.back().get());
    }
    for (std::size_t i = 0; i < fds.size(); i += 3) fds[i].reset();
    for (std::size_t i = 0; i < fds.size(); ++i) EXPECT_EQ(sockets[i].exists(), i % 3 != 0) << i;
}

TEST(KernelSocketWatch, one_that_is_shown_again_is_looked_at_all_the_same) {
    const UniqueFd fd = tcp_socket();
    { const KernelSocket before(fd.get()); }
    const KernelSocket first(fd.get());
    const KernelSocket second(fd.get());
    EXPECT_TRUE(first.exists());
    EXPECT_TRUE(second.exists());
}

TEST(KernelSocketWatch, what_is_no_socket_is_not_looked_at) {
    EXPECT_FALSE(KernelSocket(-1));
    EXPECT_FALSE(KernelSocket(STDIN_FILENO).exists());
    EXPECT_FALSE(KernelSocket().exists());
}

class Orphans : public TwoDomains {
  protected:
    std::unique_ptr<AttachedEnd> connect(Program& client, const UniqueFd& fd) {
        auto message = ScriptedClient::connect_message(name_of("0.0.0.0", 4), name_of("127.44.0.1", 5201));
        message.cookie = cookie_of(fd);
        auto end = client.attached(client.ask(message, {fd.get()}));
        EXPECT_TRUE(eventually([this] { return is_readable(server_->queue.get()); }));
        far_ = server_->accept(listener_);
        EXPECT_TRUE(end && far_);
        return end;
    }
    bool far_end_has_come() {
        return eventually([this] { return far_->receive() == "(end)"; });
    }
    Reason dry_run() { return Program(2).dry_run(name_of("127.44.0.1", 5201)); }
    std::uint64_t listen() {
        auto message = ScriptedClient::make<ListenMessage>(SessionMessage::listen);
        message.cookie = cookie_of(kernel_listener_);
        message.local = name_of("0.0.0.0", 5201);
        message.backlog = 16;
        auto got = server_->ask(message, {kernel_listener_.get()});
        const auto* listening = ScriptedClient::as<ListeningMessage>(got, SessionMessage::listening);
        if (listening == nullptr) return 0;
        server_->queue = std::move(got->fds[0]);
        return listening->listener_id;
    }

    std::unique_ptr<Program> server_ = std::make_unique<Program>(1);
    UniqueFd kernel_listener_ = tcp_socket();
    std::uint64_t listener_ = listen();
    std::unique_ptr<AttachedEnd> far_;
};

TEST_F(Orphans, an_end_whose_program_hung_up_lives_as_long_as_its_kernel_socket) {
    UniqueFd fd = tcp_socket();
    auto client = std::make_unique<Program>(2);
    auto end = connect(*client, fd);
    ASSERT_TRUE(end && far_);
    client->hang_up();
    EXPECT_TRUE(eventually([&] { return end->page().holders.load_acquire() == 1; }));
    EXPECT_TRUE(end->send("still here"));
    EXPECT_EQ(far_->receive(), "still here");
    EXPECT_EQ(far_->receive(), "(nothing)");
    fd.reset();
    EXPECT_TRUE(far_end_has_come());
}

TEST_F(Orphans, an_end_that_is_lent_outlives_its_release) {
    UniqueFd fd = tcp_socket();
    Program client(2);
    auto end = connect(client, fd);
    ASSERT_TRUE(end && far_);
    EXPECT_TRUE(client.lend(cookie_of(fd) + 1));
    EXPECT_EQ(end->page().holders.load_acquire(), 1U);
    EXPECT_TRUE(client.lend(cookie_of(fd)));
    EXPECT_EQ(end->page().holders.load_acquire(), 2U);
    client.release(end->id);
    ASSERT_TRUE(client.settle());
    EXPECT_EQ(far_->receive(), "(nothing)");
    fd.reset();
    EXPECT_TRUE(far_end_has_come());
}

TEST_F(Orphans, an_end_that_is_lent_and_was_closed_ends_at_once) {
    UniqueFd fd = tcp_socket();
    Program client(2);
    auto end = connect(client, fd);
    ASSERT_TRUE(end && far_);
    EXPECT_TRUE(client.lend(0));
    fd.reset();
    client.release(end->id);
    EXPECT_TRUE(far_end_has_come());
}

TEST_F(Orphans, who_shows_the_kernel_socket_adopts_the_end) {
    UniqueFd fd = tcp_socket();
    auto client = std::make_unique<Program>(2);
    auto end = connect(*client, fd);
    ASSERT_TRUE(end && far_);
    client->hang_up();
    Program next(2);
    const UniqueFd another = tcp_socket();
    EXPECT_FALSE(next.attached(next.adopt(cookie_of(fd), another.get())));
    auto adopted = next.attached(next.adopt(cookie_of(fd), fd.get()));
    ASSERT_TRUE(adopted);
    EXPECT_EQ(adopted->id, end->id);
    EXPECT_TRUE(adopted->send("taken over"));
    EXPECT_EQ(far_->receive(), "taken over");
    fd.reset();
    EXPECT_EQ(far_->receive(), "(nothing)");
    next.release(adopted->id);
    EXPECT_TRUE(far_end_has_come());
}

TEST_F(Orphans, a_disconnect_is_a_reset_for_all_who_hold_the_end) {
    UniqueFd fd = tcp_socket();
    Program client(2);
    auto end = connect(client, fd);
    ASSERT_TRUE(end && far_);
    EXPECT_TRUE(client.lend(0));
    client.release(end->id, ReleaseMode::disconnect);
    EXPECT_TRUE(eventually([&] { return far_->receive() == "(reset)"; }));
}

TEST_F(Orphans, a_listener_without_a_program_is_not_offered_until_it_is_adopted) {
    EXPECT_EQ(dry_run(), Reason::ring);
    server_->hang_up();
    EXPECT_TRUE(eventually([this] { return dry_run() == Reason::no_listener; }));
    Program next(1);
    auto got = next.adopt(cookie_of(kernel_listener_), kernel_listener_.get());
    EXPECT_NE(ScriptedClient::as<ListeningMessage>(got, SessionMessage::listening), nullptr);
    EXPECT_EQ(dry_run(), Reason::ring);
    next.hang_up();
    kernel_listener_.reset();
    EXPECT_TRUE(eventually([this] { return dry_run() == Reason::no_listener; }));
}

}  // namespace
}  // namespace xylem::agent_test
