// What goes over a link when there is more than it takes, and what a program here is shown of it.
#include <algorithm>

#include "tests/rdma-bridge/bridge_scene.hpp"

namespace xylem::bridge {
namespace {

using Carrying = BridgeScene;

TEST_F(Carrying, connections_that_never_run_dry_get_the_same_of_a_link_that_is_full) {
    constexpr std::uint64_t kRing = 2 << 20;
    constexpr std::uint64_t kConnections = 8;
    far_->listen(4096);
    std::vector<Opened> opened;
    for (std::uint64_t id = 1; id <= kConnections; ++id) {
        opened.emplace_back().end = agent_->connect(id, kRing);
        if (id == 1) {
            ASSERT_TRUE(far_->accept());
        }
        opened.back().end.view.own->producer.head.store_release(kRing);
    }
    for (std::uint64_t id = 1; id <= kConnections; ++id) ASSERT_NE(answer_open(), 0U);
    std::uint64_t received = 0;
    ASSERT_TRUE(until([&] {
        far_->read(64 << 10);
        received = 0;
        for (const auto& [number, bytes] : far_->received_bytes) received += bytes;
        return received >= kConnections * kRing / 2;
    }));
    ASSERT_EQ(far_->received_bytes.size(), kConnections);
    const auto [least, most] =
        std::minmax_element(far_->received_bytes.begin(), far_->received_bytes.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; });
    EXPECT_GE(least->second + 2 * kMostDataBytes, most->second);
}

TEST_F(Carrying, an_agent_that_does_not_say_where_a_doorbell_is_does_not_hold_up_its_programs) {
    far_->listen();
    const Opened opened = open(1);
    opened.end.view.own->wakeup.readable[0].store_release(WaitToken(5, 0, 0).bits());
    const auto has_shown = [&](std::uint64_t bytes) {
        return until([&] { return opened.end.view.peer->producer.head.load_acquire() == bytes; });
    };
    far_->say_data(opened.number, 0, "abc");
    ASSERT_TRUE(agent_->hear<LinkBellFindMessage>(LinkMessage::bell_find));
    EXPECT_TRUE(has_shown(3));
    for (std::uint64_t cursor = 3; cursor < 60; cursor += 3) {
        far_->say_data(opened.number, cursor, "abc");
        ASSERT_TRUE(has_shown(cursor + 3));
    }
    EXPECT_EQ(agent_->times_heard(LinkMessage::bell_find), 0U);
}

TEST_F(Carrying, a_doorbell_is_known_to_connections_that_follow_each_other) {
    far_->listen();
    UniqueFd waiter;
    for (std::uint64_t id = 1; id <= 3; ++id) {
        Opened opened = open(id);
        const WaitToken token(5, 0, static_cast<std::uint16_t>(id));
        opened.end.view.own->wakeup.readable[0].store_release(token.bits());
        far_->say_data(opened.number, 0, "abc");
        if (id == 1) {
            const auto question = agent_->hear<LinkBellFindMessage>(LinkMessage::bell_find);
            ASSERT_TRUE(question);
            waiter = agent_->answer_bell(*question);
        }
        char kick = 1;
        ASSERT_TRUE(until([&] { return ::recv(waiter.get(), &kick, 1, MSG_DONTWAIT) == 1; }));
        EXPECT_EQ(opened.end.view.peer->producer.head.load_acquire(), 3U);
        opened.end.die();
        bridge_->look_for_left_behind();
        ASSERT_TRUE(far_->hear<GoneFrame>(FrameKind::gone));
        far_->say(make_frame<GoneFrame>(FrameKind::gone, opened.number));
        ASSERT_TRUE(until([&] { return bridge_->connection_count() == 0; }));
    }
    EXPECT_EQ(agent_->times_heard(LinkMessage::bell_find), 0U);
}

}  // namespace
}  // namespace xylem::bridge
