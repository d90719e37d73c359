// Connections that are asked for.
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

}  // namespace
}  // namespace xylem::bridge
