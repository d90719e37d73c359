// What two mirrors make of a connection, and what they believe of a program and of a node.
#include "tests/rdma-bridge/mirror_pair.hpp"

namespace xylem::bridge {
namespace {

TEST_F(MirrorTest, bytes_arrive_in_order_whatever_the_pieces) {
    const Pattern pattern(1);
    Random random(2);
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    for (int i = 0; i < 20'000; ++i) {
        if (const auto done = send(caller_, pattern.at(sent, random.length(2 * kRing)))) sent += *done;
        if (random.below(3) != 0) {
            ASSERT_TRUE(carry(here_, there_, random.length(kRing)));
        }
        std::vector<std::byte> bytes(random.length(kRing));
        if (const auto got = receive(answerer_, bytes)) {
            ASSERT_TRUE(pattern.matches(received, std::span(bytes).first(*got))) << "at " << received;
            received += *got;
        }
        if (random.below(3) != 0) {
            ASSERT_TRUE(carry(there_, here_));
        }
        ASSERT_LE(sent - received, kRing);
    }
    EXPECT_GT(received, 1'000'000U);
}

TEST_F(MirrorTest, a_ring_is_full_until_the_far_program_has_read) {
    const std::vector<std::byte> bytes(2 * kRing);
    ASSERT_EQ(*send(caller_, bytes), kRing);
    carry_all();
    EXPECT_EQ(send(caller_, bytes).error().kind, ErrorKind::would_block);
    EXPECT_EQ(caller_.unsent_bytes(), kRing);
    std::vector<std::byte> taken(100);
    ASSERT_EQ(*receive(answerer_, taken), 100U);
    carry_all();
    EXPECT_EQ(*send(caller_, bytes), 100U);
}

TEST_F(MirrorTest, the_end_comes_behind_the_last_byte) {
    const std::vector<std::byte> bytes(1'000);
    ASSERT_EQ(*send(caller_, bytes), 1'000U);
    caller_.shutdown_write();
    ASSERT_TRUE(here_.look());
    EXPECT_EQ(here_.published().tx_state, 0U);  // while bytes are unsent
    carry_all();
    std::vector<std::byte> taken(2'000);
    EXPECT_EQ(*receive(answerer_, taken), 1'000U);
    EXPECT_EQ(*receive(answerer_, taken), 0U);
    EXPECT_EQ(*send(answerer_, bytes), 1'000U);  // the other direction goes on
    carry_all();
    EXPECT_EQ(*receive(caller_, taken), 1'000U);
}

TEST_F(MirrorTest, a_close_with_unread_bytes_is_a_reset_over_there) {
    const std::vector<std::byte> bytes(10);
    ASSERT_TRUE(send(answerer_, bytes));
    carry_all();
    caller_.close(CloseMode::orderly);
    carry_all();
    std::vector<std::byte> taken(10);
    const auto got = receive(answerer_, taken);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().sys_errno, ECONNRESET);
}

TEST_F(MirrorTest, a_lost_node_is_a_reset_behind_what_came) {
    const std::vector<std::byte> bytes(10);
    ASSERT_TRUE(send(caller_, bytes));
    carry_all();
    there_.reset();
    std::vector<std::byte> taken(20);
    EXPECT_EQ(*receive(answerer_, taken), 10U);
    EXPECT_EQ(receive(answerer_, taken).error().sys_errno, ECONNRESET);
    EXPECT_EQ(*receive(answerer_, taken), 0U);
}

TEST_F(MirrorTest, a_lost_node_after_a_close_is_only_the_close) {
    caller_.close(CloseMode::orderly);
    carry_all();
    there_.reset();
    std::vector<std::byte> taken(20);
    EXPECT_EQ(*receive(answerer_, taken), 0U);
}

TEST_F(MirrorTest, the_call_is_made_over_there_too) {
    ASSERT_TRUE(caller_.make_call());
    carry_all();
    EXPECT_FALSE(answerer_.give_up_call());
}

// What a program may not do --------------------------------------------------------------------------------

TEST_F(MirrorTest, impossible_words_of_a_program_are_refused) {
    const Mapping slab = here_memory_.map_slab();
    EndBlock& own = block_of(slab, 0);
    const auto refused_with = [&](auto& word, auto value) {
        const auto before = word.load_relaxed();
        word.store_relaxed(value);
        const bool is_refused = !here_.look();
        word.store_relaxed(before);
        return is_refused && static_cast<bool>(here_.look());
    };
    EXPECT_TRUE(refused_with(own.producer.head, kRing + 1));
    EXPECT_TRUE(refused_with(own.producer.head, ~std::uint64_t{0}));
    EXPECT_TRUE(refused_with(own.consumer.tail, std::uint64_t{1}));  // nothing came yet
    EXPECT_TRUE(refused_with(own.producer.state, 6U));
    EXPECT_TRUE(refused_with(own.consumer.state, 2U));
    EXPECT_TRUE(refused_with(own.call.state, 3U));
    const std::vector<std::byte> bytes(10);
    ASSERT_TRUE(send(caller_, bytes));
    ASSERT_TRUE(here_.look());
    EXPECT_TRUE(refused_with(own.producer.head, std::uint64_t{9}));  // backwards
}

TEST_F(MirrorTest, a_state_that_steps_back_is_not_believed) {
    caller_.shutdown_write();
    carry_all();
    const Mapping slab = here_memory_.map_slab();
    block_of(slab, 0).producer.state.store_relaxed(0);
    ASSERT_TRUE(here_.look());
    EXPECT_EQ(here_.published().tx_state, static_cast<std::uint32_t>(TxState::fin));
}

// What a far node may not do -------------------------------------------------------------------------------

TEST_F(MirrorTest, bytes_that_are_not_the_next_or_do_not_fit_have_no_room) {
    EXPECT_EQ(there_.room(1, 10).bytes, nullptr);
    EXPECT_EQ(there_.room(0, kRing + 1).bytes, nullptr);
    EXPECT_EQ(there_.room(0, kRing).size_bytes, kRing);
    there_.note_received(kRing);
    EXPECT_TRUE(there_.has_unshown());
    EXPECT_EQ(there_.room(kRing, 1).bytes, nullptr);
    EXPECT_EQ(there_.room(0, 1).bytes, nullptr);
}

TEST_F(MirrorTest, impossible_words_of_a_node_are_refused_and_change_nothing) {
    const Mapping slab = here_memory_.map_slab();
    EXPECT_FALSE(here_.apply({1, 0, 0, 0}));  // consumed what was never sent
    EXPECT_FALSE(here_.apply({~std::uint64_t{0}, 0, 0, 0}));
    EXPECT_FALSE(here_.apply({0, 6, 0, 0}));
    EXPECT_FALSE(here_.apply({0, 0, 2, 0}));
    EXPECT_FALSE(here_.apply({0, 0, 0, 3}));
    EXPECT_EQ(block_of(slab, 1).producer.state.load_relaxed(), 0U);
    EXPECT_EQ(block_of(slab, 1).consumer.tail.load_relaxed(), 0U);
}

// Who is woken ---------------------------------------------------------------------------------------------

TEST_F(MirrorTest, a_writer_is_woken_once_half_is_free) {
    const std::vector<std::byte> bytes(kRing);
    ASSERT_EQ(*send(caller_, bytes), kRing);
    ASSERT_TRUE(carry(here_, there_));
    ASSERT_TRUE(here_.apply({kRing / 2 - 1, 0, 0, 0}));
    EXPECT_FALSE(here_.publish().writers);
    ASSERT_TRUE(here_.apply({kRing / 2, 0, 0, 0}));
    const Woken woken = here_.publish();
    EXPECT_TRUE(woken.writers);
    EXPECT_FALSE(woken.readers);
    ASSERT_TRUE(here_.apply({kRing / 2, static_cast<std::uint32_t>(TxState::fin), 0, 0}));
    EXPECT_TRUE(here_.publish().readers);
}

TEST_F(MirrorTest, waiters_of_the_bridge_are_shown_in_the_image) {
    here_.show_reader(WaitToken(5, 6, 0));
    here_.show_writer(WaitToken(5, 6, 0));
    const Mapping slab = here_memory_.map_slab();
    EXPECT_EQ(block_of(slab, 1).wakeup.readable[0].load_relaxed(), WaitToken(5, 6, 0).bits());
    EXPECT_EQ(block_of(slab, 1).wakeup.writable[0].load_relaxed(), WaitToken(5, 6, 0).bits());
    here_.show_writer(WaitToken());
    EXPECT_EQ(block_of(slab, 1).wakeup.writable[0].load_relaxed(), 0U);
}

}  // namespace
}  // namespace xylem::bridge
