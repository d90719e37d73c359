// Connections that are asked for.
#include <sys/resource.h>

#include "tests/rdma-bridge/bridge_scene.hpp"

namespace xylem::bridge {
namespace {

using Opening = BridgeScene;

TEST_F(Opening, an_agent_that_is_gone_before_the_answer_leaves_no_connection_at_the_far_node) {
    far_->listen();
    const HomeEnd end = agent_->connect(1);
    ASSERT_TRUE(far_->accept());
    ASSERT_TRUE(until([&] { return far_->has_heard(FrameKind::open); }));
    agent_->hang_up();
    turns(10);
    const std::uint32_t number = answer_open();
    const auto gone = far_->hear<GoneFrame>(FrameKind::gone);
    ASSERT_TRUE(gone);
    EXPECT_EQ(gone->header.connection, number);
    EXPECT_EQ(bridge_->connection_count(), 0U);
}

TEST_F(Opening, an_agent_that_does_not_answer_keeps_nobody_else_waiting) {
    ASSERT_TRUE(far_->dial());
    auto open = make_frame<OpenFrame>(FrameKind::open, 1);
    open.connection_id = 5;
    open.ring_size_bytes[0] = open.ring_size_bytes[1] = 4096;
    open.from_domain = 2;
    open.to_domain = HomeAgent::kDomain;
    far_->say(open);
    const auto question = agent_->hear<LinkConnectMessage>(LinkMessage::connect);
    ASSERT_TRUE(question);
    const auto opened = far_->hear<OpenedFrame>(FrameKind::opened);
    ASSERT_TRUE(opened);
    EXPECT_EQ(static_cast<Reason>(opened->reason), Reason::no_peer_agent);
    EXPECT_EQ(bridge_->connection_count(), 0U);
    agent_->answer_late(*question, Reason::ring);
    EXPECT_TRUE(agent_->hear<LinkEndMessage>(LinkMessage::ended)) << "what was accepted by then is over";
}

TEST_F(Opening, an_agent_that_asks_without_end_is_told_so) {
    far_->listen();
    const Opened first = open(1);
    Reason reason = Reason::node_unreachable;  // of those whose time is over, where this test is held up
    std::uint64_t asked = 0;
    for (; reason == Reason::node_unreachable && asked < 1 << 16; ++asked) {
        agent_->ask_whether(asked + 2);
        turns(1);
        if (agent_->times_heard(LinkMessage::connected) > 0) reason = agent_->answer();
    }
    EXPECT_EQ(reason, Reason::backlog_full);
    EXPECT_GT(asked, AgentLink::kMostQuestions);
}

TEST_F(Opening, nobody_speaks_to_a_node_that_has_no_number) {
    ASSERT_TRUE(agent_->say_hello(remote_domain(kMostNodes, 2)));
    EXPECT_TRUE(until([&] { return agent_->is_hung_up(); }));
}

class OpeningInTurn : public BridgeScene {
  protected:
    void SetUp() override {
        settings_.most_connections = 4;
        BridgeScene::SetUp();
        far_->listen();
    }
};

TEST_F(OpeningInTurn, a_domain_has_its_share_of_connections_and_no_more) {
    HomeEnd first = agent_->connect(1);
    ASSERT_TRUE(far_->accept());
    const std::uint32_t number = answer_open();
    EXPECT_EQ(agent_->answer(), Reason::ring);
    const HomeEnd second = agent_->connect(2);
    EXPECT_EQ(agent_->answer(), Reason::quota_reached);
    agent_->rejoin(3);
    const auto rejoined = agent_->hear<LinkRejoinedMessage>(LinkMessage::rejoined);
    ASSERT_TRUE(rejoined);
    EXPECT_EQ(static_cast<Reason>(rejoined->reason), Reason::quota_reached);
    auto open = make_frame<OpenFrame>(FrameKind::open, 1);
    open.connection_id = 5;
    open.ring_size_bytes[0] = open.ring_size_bytes[1] = 4096;
    open.from_domain = 2;
    open.to_domain = HomeAgent::kDomain;
    FarNode caller(address(2), address(1), kKeyBytes, until_);
    ASSERT_TRUE(caller.dial());
    caller.say(open);
    const auto opened = caller.hear<OpenedFrame>(FrameKind::opened);
    ASSERT_TRUE(opened);
    EXPECT_EQ(static_cast<Reason>(opened->reason), Reason::quota_reached);
    first.die();
    ASSERT_TRUE(until([&] {
        bridge_->look_for_left_behind();
        return far_->has_heard(FrameKind::gone);
    }));
    far_->say(make_frame<GoneFrame>(FrameKind::gone, number));
    EXPECT_TRUE(until([&] { return bridge_->connection_count() == 0; }));
    const HomeEnd third = agent_->connect(4);
    answer_open();
    EXPECT_EQ(agent_->answer(), Reason::ring);
}

TEST_F(Opening, callers_that_no_descriptor_is_left_for_are_hung_up_on) {
    turns(3);
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    const UniqueFd caller(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto to = unix_address(bridge_socket().text);
    rlimit none = limit;
    none.rlim_cur = static_cast<rlim_t>(caller.get()) + 1;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);  // there is none behind it
    EXPECT_EQ(::connect(caller.get(), reinterpret_cast<const sockaddr*>(&*to), sizeof *to), 0);
    turns(3);
    EXPECT_FALSE(bridge_->turn()) << "it is kept busy";
    pollfd item{caller.get(), POLLRDHUP, 0};
    EXPECT_EQ(::poll(&item, 1, 0), 1);
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace
}  // namespace xylem::bridge
