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

}  // namespace
}  // namespace xylem::bridge
