// Ends that are gone, and of which no agent says so.
#include "tests/rdma-bridge/bridge_scene.hpp"

namespace xylem::bridge {
namespace {

class LeftBehindEnd : public BridgeScene {
  protected:
    void SetUp() override {
        BridgeScene::SetUp();
        far_->listen();
    }
    bool far_hears_that_it_is_gone(std::uint32_t number) {
        bridge_->look_for_left_behind();
        const auto gone = far_->hear<GoneFrame>(FrameKind::gone);
        return gone && gone->header.connection == number;
    }
};

TEST_F(LeftBehindEnd, is_found_though_its_agent_was_back_before_anybody_looked) {
    Opened opened = open(1);
    agent_->hang_up();
    ASSERT_TRUE(agent_->dial());
    opened.end.die();
    EXPECT_TRUE(far_hears_that_it_is_gone(opened.number));
}

TEST_F(LeftBehindEnd, of_an_agent_that_did_not_wait_for_the_answer_is_found) {
    HomeEnd end = agent_->connect(1);
    ASSERT_TRUE(far_->accept());
    ASSERT_TRUE(until([&] { return far_->has_heard(FrameKind::open); }));
    end.die();
    const std::uint32_t number = answer_open();
    EXPECT_EQ(agent_->answer(), Reason::ring);
    EXPECT_TRUE(far_hears_that_it_is_gone(number));
}

TEST_F(LeftBehindEnd, of_an_agent_that_gave_up_before_it_was_heard_is_found) {
    HomeEnd end = agent_->connect(1);
    end.view.own->producer.state.store_release(static_cast<std::uint32_t>(TxState::reset));
    end.view.own->consumer.state.store_release(static_cast<std::uint32_t>(RxState::closed));
    end.die();
    ASSERT_TRUE(far_->accept());
    const std::uint32_t number = answer_open();
    EXPECT_EQ(agent_->answer(), Reason::ring);
    EXPECT_TRUE(far_hears_that_it_is_gone(number));
}

TEST_F(LeftBehindEnd, is_not_one_that_somebody_has) {
    const Opened opened = open(1);
    agent_->hang_up();
    for (int i = 0; i < 10; ++i) {
        bridge_->look_for_left_behind();
        turns(3);
    }
    far_->say_data(opened.number, 0, "abc");
    EXPECT_TRUE(until([&] { return opened.end.view.peer->producer.head.load_acquire() == 3; }));
    EXPECT_FALSE(far_->has_heard(FrameKind::gone));
}

TEST_F(LeftBehindEnd, is_not_one_whose_lock_was_never_seen) {
    HomeEnd end = agent_->connect(1);
    lock_side(end.slab_fd.get(), 2, 0);  // another connection's
    ASSERT_TRUE(far_->accept());
    const std::uint32_t number = answer_open();
    EXPECT_EQ(agent_->answer(), Reason::ring);
    bridge_->look_for_left_behind();
    far_->say_data(number, 0, "abc");
    EXPECT_TRUE(until([&] { return end.view.peer->producer.head.load_acquire() == 3; }));
    EXPECT_FALSE(far_->has_heard(FrameKind::gone));
}

class Farewell : public BridgeScene {
  protected:
    void SetUp() override {
        settings_.farewell_ns = 20 * kNsPerMs;
        BridgeScene::SetUp();
        far_->listen();
    }
};

TEST_F(Farewell, a_node_that_never_lets_go_of_a_connection_keeps_nothing_here) {
    Opened opened = open(1);
    opened.end.die();
    bridge_->look_for_left_behind();
    ASSERT_TRUE(far_->hear<GoneFrame>(FrameKind::gone));
    EXPECT_EQ(bridge_->connection_count(), 1U);
    EXPECT_TRUE(until([&] {
        bridge_->look_for_left_behind();
        return bridge_->connection_count() == 0;
    }));
    EXPECT_FALSE(far_->is_hung_up());
}

TEST_F(Farewell, a_node_is_waited_for_as_long_as_a_program_here_goes_on) {
    const Opened opened = open(1);
    const std::uint64_t begin_ns = now_ns();
    ASSERT_TRUE(until([&] {
        bridge_->look_for_left_behind();
        return now_ns() > begin_ns + 3 * settings_.farewell_ns;
    }));
    far_->say_data(opened.number, 0, "abc");
    EXPECT_TRUE(until([&] { return opened.end.view.peer->producer.head.load_acquire() == 3; }));
}

}  // namespace
}  // namespace xylem::bridge
