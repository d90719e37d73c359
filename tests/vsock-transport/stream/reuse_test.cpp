// Using a connection again: both orders of closing, what rules it out, and every step at which the other
// side, or the agent, may come between.
#include "tests/vsock-transport/stream/scripted_pair.hpp"

namespace xylem {
namespace {

class Reuse : public ScriptedPair {
  protected:
    void close_both(CloseMode near_mode = CloseMode::keep, CloseMode far_mode = CloseMode::keep) {
        near_.close(near_mode);
        far_.close(far_mode);
    }
    // What an agent does for an end: one compare-and-swap on its word.
    bool take_back(unsigned side, const Stream& stream) {
        const std::uint32_t use = stream.page().use.load_relaxed();
        return testing_support::block_of(slab_, side)
            .producer.state.compare_exchange(tagged_state(use, TxState::kept),
                                             tagged_state(use, TxState::left));
    }
    std::uint32_t word(unsigned side) { return published_state(slab_, side); }

    static constexpr std::uint32_t kPort = 40'000;
};

TEST_F(Reuse, two_ends_that_closed_in_order_carry_bytes_again) {
    ASSERT_EQ(send(near_, 10), 10U);
    ASSERT_EQ(receive(far_, 100), 10U);
    close_both();
    for (std::uint32_t use = 1; use <= 3; ++use) {
        ASSERT_TRUE(near_.may_begin_again());
        ASSERT_TRUE(near_.begin_again(kPort + use));
        EXPECT_EQ(near_.page().use.load_relaxed(), use);
        ASSERT_EQ(far_.accept_again(), kPort + use);
        ASSERT_EQ(send(near_, 700), 700U);
        ASSERT_EQ(receive(far_, 1000), 700U);
        ASSERT_EQ(send(far_, 5), 5U);
        ASSERT_EQ(receive(near_, 1000), 5U);
        EXPECT_EQ(near_.page().tx.head.load_relaxed() - near_.page().tx_begin.load_relaxed(), 700U);
        near_.close(CloseMode::keep);
        EXPECT_EQ(receive(far_, 1), 0U) << "the end of this use";
        far_.close(CloseMode::keep);
    }
}

TEST_F(Reuse, the_accepting_end_may_close_first) {
    far_.close(CloseMode::keep);
    EXPECT_EQ(receive(near_, 1), 0U);
    EXPECT_FALSE(near_.may_begin_again()) << "not closed yet";
    near_.close(CloseMode::keep);
    EXPECT_TRUE(near_.begin_again(kPort));
    EXPECT_EQ(far_.accept_again(), kPort);
}

TEST_F(Reuse, the_caller_sends_and_closes_before_it_is_accepted) {
    close_both();
    ASSERT_TRUE(near_.begin_again(kPort));
    EXPECT_TRUE(near_.readiness().out);
    EXPECT_FALSE(near_.readiness().in) << "the far end's last words were of the use before";
    EXPECT_EQ(receive(near_, 1).error().kind, ErrorKind::would_block);
    ASSERT_EQ(send(near_, 3), 3U);
    near_.close(CloseMode::keep);
    ASSERT_EQ(far_.accept_again(), kPort);
    EXPECT_EQ(receive(far_, 10), 3U);
    EXPECT_EQ(receive(far_, 10), 0U);
}

TEST_F(Reuse, a_caller_that_died_unaccepted_has_its_bytes_read) {
    close_both();
    ASSERT_TRUE(near_.begin_again(kPort));
    ASSERT_EQ(send(near_, 3), 3U);
    near_.close(CloseMode::keep);
    near_.close(CloseMode::orderly);  // its agent
    EXPECT_EQ(word(0), tagged_state(1, TxState::left));
    ASSERT_EQ(far_.accept_again(), kPort);
    EXPECT_EQ(receive(far_, 10), 3U);
    EXPECT_EQ(receive(far_, 10), 0U);
    EXPECT_EQ(far_.take_error(), 0);
}

TEST_F(Reuse, a_call_rings_whoever_waits_for_it_and_bytes_before_the_acceptance_do_not) {
    close_both();
    show_waiter(far_, Direction::readable);
    bells_[0].rung.clear();
    ASSERT_TRUE(near_.begin_again(kPort));
    EXPECT_EQ(bells_[0].rung.size(), 1U);
    ASSERT_EQ(send(near_, 3), 3U);
    EXPECT_EQ(bells_[0].rung.size(), 1U);
    ASSERT_EQ(far_.accept_again(), kPort);
    ASSERT_EQ(send(near_, 3), 3U);
    EXPECT_EQ(bells_[0].rung.size(), 2U);
}

TEST_F(Reuse, an_end_that_was_not_closed_to_keep_rules_it_out) {
    close_both(CloseMode::keep, CloseMode::orderly);
    EXPECT_FALSE(near_.may_begin_again());
}

TEST_F(Reuse, unread_bytes_rule_it_out) {
    ASSERT_EQ(send(near_, 3), 3U);
    close_both();
    EXPECT_EQ(word(1), tagged_state(0, TxState::reset)) << "as TCP answers bytes that nobody will read";
    EXPECT_FALSE(near_.may_begin_again());
}

TEST_F(Reuse, a_reset_rules_it_out) {
    far_.close(CloseMode::abort);
    EXPECT_FALSE(receive(near_, 1));
    near_.close(CloseMode::keep);
    EXPECT_FALSE(near_.is_kept());
}

TEST_F(Reuse, the_agent_takes_back_what_is_not_used_at_that_moment) {
    close_both();
    EXPECT_TRUE(take_back(1, far_));
    EXPECT_FALSE(near_.may_begin_again());
    EXPECT_TRUE(near_.is_left());
    EXPECT_FALSE(far_.is_kept());
}

TEST_F(Reuse, what_the_agent_took_back_of_the_own_end_is_not_begun_and_looks_closed) {
    close_both();
    ASSERT_TRUE(near_.may_begin_again());
    ASSERT_TRUE(take_back(0, near_));
    EXPECT_FALSE(near_.begin_again(kPort));
    EXPECT_EQ(near_.page().use.load_relaxed(), 0U);
    EXPECT_FALSE(far_.has_caller());
    near_.close(CloseMode::abort);
    EXPECT_EQ(word(0), tagged_state(0, TxState::left));
}

TEST_F(Reuse, a_far_end_that_leaves_in_the_middle_of_a_call_is_seen) {
    close_both();
    show_waiter(far_, Direction::readable);
    bells_[0].script = [this] { take_back(1, far_); };  // after the look that allowed the call
    EXPECT_FALSE(near_.begin_again(kPort));
    near_.close(CloseMode::abort);
    EXPECT_EQ(state_of(word(0)), static_cast<std::uint32_t>(TxState::reset));
}

TEST_F(Reuse, who_is_called_does_not_stop_keeping) {
    close_both();
    ASSERT_TRUE(near_.begin_again(kPort));
    EXPECT_FALSE(far_.stop_keeping());
    EXPECT_EQ(far_.accept_again(), kPort);
}

TEST_F(Reuse, who_is_not_called_stops_keeping_once_and_for_all) {
    close_both();
    EXPECT_TRUE(far_.stop_keeping());
    EXPECT_TRUE(far_.stop_keeping());
    EXPECT_EQ(far_.accept_again(), 0U);
    EXPECT_FALSE(near_.may_begin_again());
}

TEST_F(Reuse, a_listener_that_closes_resets_who_waits_in_it) {
    close_both();
    show_waiter(near_, Direction::readable);
    ASSERT_TRUE(near_.begin_again(kPort));
    bells_[1].rung.clear();
    far_.close(CloseMode::abort);
    EXPECT_EQ(receive(near_, 1).error().sys_errno, ECONNRESET);
    EXPECT_EQ(bells_[1].rung.size(), 1U) << "it may be asleep";
}

TEST_F(Reuse, a_caller_whose_peer_vanishes_before_it_accepts_is_reset) {
    close_both();
    ASSERT_TRUE(near_.begin_again(kPort));
    ASSERT_EQ(receive(near_, 1).error().kind, ErrorKind::would_block);
    near_.peer_vanished(false);
    EXPECT_EQ(receive(near_, 1).error().sys_errno, ECONNRESET);
}

TEST_F(Reuse, an_impossible_use_counts_as_reset) {
    testing_support::block_of(slab_, 0).producer.state.store_release(tagged_state(kMaxUse, TxState::open));
    EXPECT_EQ(receive(far_, 1).error().sys_errno, ECONNRESET);
    EXPECT_TRUE(far_.readiness().hang_up);
}

TEST_F(Reuse, a_revoked_end_is_not_used_again) {
    close_both();
    near_.page().is_revoked.store_release(1);
    EXPECT_TRUE(near_.is_left());
    EXPECT_FALSE(near_.may_begin_again());
}

}  // namespace
}  // namespace xylem
