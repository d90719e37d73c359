// Links that are lost and come back, as the bridge that dials sees it.
#include "tests/rdma-bridge/bridge_scene.hpp"

namespace xylem::bridge {
namespace {

using Resuming = BridgeScene;

TEST_F(Resuming, a_connection_that_was_given_up_meanwhile_is_over_at_the_far_node_too) {
    settings_.patience_ns = 300 * kNsPerMs;
    start_bridge();
    start_agent();
    far_->listen();
    const Opened opened = open(1);
    far_->hang_up();
    ASSERT_TRUE(far_->accept());
    ASSERT_TRUE(far_->hear<ResumeFrame>(FrameKind::resume));
    ASSERT_TRUE(agent_->hear<LinkEndMessage>(LinkMessage::ended));  // the patience is over
    far_->say(make_frame<ResumedFrame>(FrameKind::resumed, opened.number));
    const auto gone = far_->hear<GoneFrame>(FrameKind::gone);
    ASSERT_TRUE(gone);
    EXPECT_EQ(gone->header.connection, opened.number);
}

TEST_F(Resuming, a_connection_goes_on_over_the_next_link) {
    far_->listen();
    const Opened opened = open(1);
    far_->hang_up();
    ASSERT_TRUE(far_->accept());
    const auto resume = far_->hear<ResumeFrame>(FrameKind::resume);
    ASSERT_TRUE(resume);
    far_->say(make_frame<ResumedFrame>(FrameKind::resumed, opened.number));
    far_->say_data(opened.number, 0, "abc");
    EXPECT_TRUE(until([&] { return opened.end.view.peer->producer.head.load_acquire() == 3; }));
    EXPECT_FALSE(far_->has_heard(FrameKind::gone));
}

}  // namespace
}  // namespace xylem::bridge
