// How nodes are dialled that are away.
#include "tests/rdma-bridge/bridge_scene.hpp"

namespace xylem::bridge {
namespace {

class DialledNode : public BridgeScene {
  protected:
    std::uint32_t far_number() const { return number_of_node(address(2).c_str()); }
};

TEST_F(DialledNode, that_does_not_answer_keeps_only_the_first_connect_waiting) {
    far_->listen();
    HomeEnd end = agent_->connect(1);
    ASSERT_TRUE(far_->take_call());
    EXPECT_EQ(agent_->answer(), Reason::node_unreachable);
    EXPECT_TRUE(far_->is_hung_up());
    bool was_answered_before = false;
    for (std::uint64_t id = 2; id < 20 && !was_answered_before; id += 2) {
        far_->hang_up();
        end = agent_->connect(id);
        EXPECT_EQ(agent_->answer(), Reason::node_unreachable);
        ASSERT_TRUE(far_->take_call()) << "nobody probes it";
        end = agent_->connect(id + 1);
        EXPECT_EQ(agent_->answer(), Reason::node_unreachable);
        was_answered_before = !far_->is_hung_up();  // not so where this test was held up
    }
    EXPECT_TRUE(was_answered_before);
}

TEST_F(DialledNode, that_is_back_is_found_by_a_probe_and_carries_the_next_connect) {
    HomeEnd end = agent_->connect(1);
    EXPECT_EQ(agent_->answer(), Reason::node_unreachable);
    far_->listen();
    end = agent_->connect(2);
    EXPECT_EQ(agent_->answer(), Reason::node_unreachable);
    ASSERT_TRUE(far_->accept());
    has_met_ = true;
    EXPECT_NE(open(3).number, 0U);
}

TEST_F(DialledNode, that_dials_finds_a_place_though_a_silent_host_has_taken_all) {
    std::vector<UniqueFd> silent;
    const auto bridge = *node_address(address(1));
    auto own = *node_address(address(3));
    own.set_port(0);
    for (unsigned i = 0; i < 64; ++i) {
        silent.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        ASSERT_EQ(::bind(silent.back().get(), own.get(), own.length), 0);
        ASSERT_EQ(::connect(silent.back().get(), bridge.get(), bridge.length), 0);
    }
    turns(8);
    EXPECT_TRUE(far_->dial());
}

TEST_F(DialledNode, that_cannot_be_dialled_has_one_timer_however_many_connections_wait) {
    set_order_of_node(far_number(), "verbs");  // for which there is no device
    const std::size_t before = poller_->timer_count();
    std::vector<HomeEnd> ends;
    for (std::uint64_t id = 1; id <= 50; ++id) {
        ends.push_back(agent_->rejoin(id));
        ASSERT_TRUE(agent_->hear<LinkRejoinedMessage>(LinkMessage::rejoined));
    }
    EXPECT_EQ(bridge_->connection_count(), 50U);
    EXPECT_LE(poller_->timer_count(), before + 2);  // its patience, and the next dial
}

TEST(NodeNumbers, begin_anew_behind_the_last_one_and_skip_those_in_use) {
    Node node;
    node.connections[1] = node.connections[2] = node.connections[kUnnumbered - 1] = nullptr;
    EXPECT_EQ(node.free_number(0), 3U);
    EXPECT_EQ(node.free_number(3), 4U);
    EXPECT_EQ(node.free_number(kUnnumbered - 2), 3U);
    EXPECT_EQ(node.free_number(kUnnumbered - 1), 3U);
}

}  // namespace
}  // namespace xylem::bridge
