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

// Else each link would break over the same word, and with it all that it carries.
TEST_F(Resuming, a_lie_while_the_link_is_away_is_told_without_going_back_behind_what_was_told) {
    far_->listen();
    const Opened opened = open(1);
    far_->say_data(opened.number, 0, "abc");
    ASSERT_TRUE(until([&] { return opened.end.view.peer->producer.head.load_acquire() == 3; }));
    opened.end.view.own->consumer.tail.store_release(3);
    const auto consumed = far_->hear<UpdateFrame>(FrameKind::update);
    ASSERT_TRUE(consumed);
    ASSERT_EQ(consumed->tail, 3U);
    far_->hang_up();
    opened.end.view.own->producer.head.store_release(1ULL << 40);
    ASSERT_TRUE(far_->accept());
    ASSERT_TRUE(far_->hear<ResumeFrame>(FrameKind::resume));
    far_->say(make_frame<ResumedFrame>(FrameKind::resumed, opened.number));
    const auto update = far_->hear<UpdateFrame>(FrameKind::update);
    ASSERT_TRUE(update);
    EXPECT_EQ(update->tail, 3U);
    EXPECT_EQ(update->tx_state, static_cast<std::uint32_t>(TxState::reset));
    EXPECT_TRUE(far_->hear<GoneFrame>(FrameKind::gone));
}

TEST_F(Resuming, links_that_break_again_and_again_do_not_stretch_the_patience) {
    settings_.patience_ns = 300 * kNsPerMs;
    start_bridge();
    start_agent();
    far_->listen();
    const Opened opened = open(1);
    const auto has_ended = [&] { return agent_->times_heard(LinkMessage::ended) > 0; };
    const std::uint64_t most_ns = now_ns() + kPatienceNs / 2;
    unsigned links = 0;
    while (!has_ended() && now_ns() < most_ns) {
        far_->hang_up();
        ASSERT_TRUE(until([&] { return has_ended() || far_->has_call(); }));
        links += far_->has_call() && far_->accept() ? 1 : 0;
    }
    EXPECT_TRUE(has_ended());
    EXPECT_GE(links, 2U);
    EXPECT_LE(links, 20U) << "the bridge dials without a pause";
}

// Who would call in it would wait for a link, where TCP may be there.
TEST_F(Resuming, a_kept_connection_ends_with_its_link) {
    far_->listen();
    const Opened opened = open(1);
    const Opened busy = open(2);
    const std::uint32_t kept = tagged_state(0, TxState::kept);
    opened.end.view.own->consumer.state.store_release(tagged_state(0, RxState::closed));
    opened.end.view.own->producer.state.store_release(kept);
    auto update = make_frame<UpdateFrame>(FrameKind::update, opened.number);
    update.tx_state = kept;
    update.rx_state = tagged_state(0, RxState::closed);
    far_->say(update);
    ASSERT_TRUE(until([&] { return opened.end.view.peer->producer.state.load_acquire() == kept; }));
    far_->hang_up();
    const auto ended = agent_->hear<LinkEndMessage>(LinkMessage::ended);
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->connection_id, 1U);
    EXPECT_EQ(opened.end.view.peer->producer.state.load_acquire(), tagged_state(0, TxState::left));
    ASSERT_TRUE(far_->accept());
    const auto resume = far_->hear<ResumeFrame>(FrameKind::resume);
    ASSERT_TRUE(resume);
    EXPECT_EQ(resume->header.connection, busy.number);
    ASSERT_TRUE(far_->hear<CaughtUpFrame>(FrameKind::caught_up));
    EXPECT_FALSE(far_->has_heard(FrameKind::resume));
}

// What is left of it is the program's here; the far bridge need not wait until that has closed.
TEST_F(Resuming, a_far_end_that_is_gone_is_answered_at_once) {
    far_->listen();
    const Opened opened = open(1);
    far_->say(make_frame<GoneFrame>(FrameKind::gone, opened.number));
    EXPECT_TRUE(far_->hear<GoneFrame>(FrameKind::gone));
    EXPECT_EQ(bridge_->connection_count(), 1U) << "its program may still read";
}

}  // namespace
}  // namespace xylem::bridge
