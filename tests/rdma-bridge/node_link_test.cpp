// What a link takes of a node that has the key, and of one that has not.
#include "rdma-bridge/node_link.hpp"

#include <gtest/gtest.h>

#include "tests/rdma-bridge/memory_wire.hpp"

namespace xylem::bridge {
namespace {

SocketName name_of_node(std::uint8_t number) {
    SocketName name{};
    name.family = AF_INET;
    name.address[0] = 10;
    name.address[3] = number;
    return name;
}

// One of the two ends, and what it was told. The dialler means node 2.
struct Side {
    Side(Poller& poller, const std::string& key_bytes, Role role, std::uint8_t number = 2) : key(key_bytes) {
        auto made = std::make_unique<MemoryWire>();
        wire = made.get();
        link = std::make_unique<NodeLink>(
            poller, key, std::move(made), role, name_of_node(number), name_of_node(2),
            NodeLink::Events{[](NodeLink&) {},
                             [this](NodeLink&, const FrameHeader& header, const std::byte*) {
                                 kinds.push_back(static_cast<FrameKind>(header.kind));
                                 return true;
                             },
                             [](NodeLink&, const DataFrame&, std::size_t, Mirror::Room&) { return true; },
                             [](NodeLink&, std::uint32_t, std::size_t) {},
                             [this](NodeLink&, const std::string& why) { broken_for = why; }});
    }

    NodeKey key;
    MemoryWire* wire = nullptr;
    std::unique_ptr<NodeLink> link;
    std::vector<FrameKind> kinds;
    std::string broken_for;
};

class NodeLinkTest : public testing::Test {
  protected:
    void meet(const std::string& diallers_key, const std::string& listeners_key) {
        dialler_ = std::make_unique<Side>(*poller_, diallers_key, Role::dialler);
        listener_ = std::make_unique<Side>(*poller_, listeners_key, Role::listener);
        join();
    }
    void join() {
        MemoryWire::join(*dialler_->wire, *listener_->wire);
        dialler_->link->begin();
        listener_->link->begin();
        for (bool is_any = true; is_any;) {
            is_any = dialler_->link->poll();
            is_any |= listener_->link->poll();
        }
    }
    void meet() {
        meet(std::string(32, 'k'), std::string(32, 'k'));
        ASSERT_EQ(dialler_->link->state(), NodeLinkState::ready);
        ASSERT_EQ(listener_->link->state(), NodeLinkState::ready);
    }
    template <class Frame>
    void say(const Frame& frame) {
        dialler_->link->send(&frame, sizeof frame);
    }

    std::unique_ptr<Poller> poller_ = std::move(*Poller::make());
    std::unique_ptr<Side> dialler_;
    std::unique_ptr<Side> listener_;
};

TEST_F(NodeLinkTest, nodes_with_the_same_key_meet) {
    meet();
    EXPECT_EQ(listener_->link->name(), "10.0.0.0");
    EXPECT_TRUE(listener_->wire->is_proved());
}

TEST_F(NodeLinkTest, who_has_another_key_is_told_so_and_nothing_else) {
    meet(std::string(32, 'x'), std::string(32, 'k'));
    EXPECT_EQ(dialler_->link->state(), NodeLinkState::broken);
    EXPECT_NE((dialler_->broken_for + listener_->broken_for).find("does not have the key"),
              std::string::npos);
    EXPECT_TRUE(dialler_->wire->is_shut() && listener_->wire->is_shut());
    EXPECT_TRUE(listener_->kinds.empty());
    EXPECT_FALSE(listener_->wire->is_proved());
}

TEST_F(NodeLinkTest, who_means_another_node_is_told_so) {
    const std::string key(32, 'k');
    dialler_ = std::make_unique<Side>(*poller_, key, Role::dialler, 1);
    listener_ = std::make_unique<Side>(*poller_, key, Role::listener, 3);
    join();
    EXPECT_EQ(listener_->link->state(), NodeLinkState::broken);
    EXPECT_NE(dialler_->broken_for.find("it means 10.0.0.2, and this is 10.0.0.3"), std::string::npos);
    EXPECT_FALSE(listener_->wire->is_proved() || dialler_->wire->is_proved());
}

TEST_F(NodeLinkTest, a_node_of_several_addresses_is_meant_by_the_one_that_was_dialled) {
    const std::string key(32, 'k');
    dialler_ = std::make_unique<Side>(*poller_, key, Role::dialler, 1);
    listener_ = std::make_unique<Side>(*poller_, key, Role::listener, 3);
    listener_->wire->own = name_of_node(2);
    join();
    EXPECT_EQ(listener_->link->state(), NodeLinkState::ready);
    EXPECT_EQ(dialler_->link->state(), NodeLinkState::ready);
}

TEST_F(NodeLinkTest, frames_of_connections_before_the_proof_break_the_link) {
    dialler_ = std::make_unique<Side>(*poller_, std::string(32, 'k'), Role::dialler);
    listener_ = std::make_unique<Side>(*poller_, std::string(32, 'k'), Role::listener);
    MemoryWire::join(*dialler_->wire, *listener_->wire);
    listener_->link->begin();
    const auto open = make_frame<OpenFrame>(FrameKind::open, 1);
    const iovec part{const_cast<OpenFrame*>(&open), sizeof open};
    dialler_->wire->send(&part, 1);
    listener_->link->poll();
    EXPECT_EQ(listener_->link->state(), NodeLinkState::broken);
    EXPECT_TRUE(listener_->kinds.empty());
}

TEST_F(NodeLinkTest, a_turn_takes_64_questions_and_the_next_one_goes_on) {
    meet();
    for (std::uint32_t number = 1; number <= 100; ++number)
        say(make_frame<OpenFrame>(FrameKind::open, number));
    dialler_->link->flush();
    listener_->link->poll();
    EXPECT_EQ(listener_->kinds.size(), 64U);
    listener_->link->poll();
    EXPECT_EQ(listener_->kinds.size(), 100U);
}

TEST_F(NodeLinkTest, other_frames_are_taken_as_they_come) {
    meet();
    for (std::uint32_t number = 1; number <= 100; ++number)
        say(make_frame<UpdateFrame>(FrameKind::update, number));
    dialler_->link->flush();
    listener_->link->poll();
    EXPECT_EQ(listener_->kinds, std::vector<FrameKind>(100, FrameKind::update));
}

TEST_F(NodeLinkTest, a_node_that_takes_nothing_loses_its_link_at_16_mib) {
    meet();
    dialler_->wire->room_bytes = 0;
    const auto update = make_frame<UpdateFrame>(FrameKind::update, 1);
    for (std::size_t waiting = 0; waiting < 1 << 20; waiting += sizeof update) say(update);
    EXPECT_FALSE(dialler_->link->is_behind());
    meet();
    dialler_->wire->room_bytes = 0;
    constexpr std::size_t kMostBytes = 16 << 20;
    for (std::size_t waiting = 0; waiting + sizeof update <= kMostBytes; waiting += sizeof update)
        say(update);
    dialler_->link->flush();
    EXPECT_EQ(dialler_->link->state(), NodeLinkState::ready);
    EXPECT_TRUE(dialler_->link->is_full());
    EXPECT_TRUE(dialler_->link->is_behind());
    say(update);
    dialler_->link->flush();
    EXPECT_EQ(dialler_->link->state(), NodeLinkState::broken);
    EXPECT_EQ(dialler_->broken_for, "it does not take what it is sent");
}

TEST_F(NodeLinkTest, a_frame_of_impossible_length_breaks_the_link) {
    for (const std::uint32_t length : {0U, 15U, 513U, UINT32_MAX}) {
        meet();
        auto frame = make_frame<UpdateFrame>(FrameKind::update, 1);
        frame.header.length_bytes = length;
        say(frame);
        dialler_->link->flush();
        listener_->link->poll();
        EXPECT_EQ(listener_->link->state(), NodeLinkState::broken) << length;
        EXPECT_TRUE(listener_->kinds.empty());
    }
}

}  // namespace
}  // namespace xylem::bridge
