// A connection between nodes that is used again: what each program sees of the other one's leaving and
// calling, whatever crosses on the way.
#include "tests/rdma-bridge/mirror_pair.hpp"

namespace xylem::bridge {
namespace {

class MirrorReuse : public MirrorTest {
  protected:
    void SetUp() override {
        answerer_.say_would_keep();
        carry_all();
    }
    void expect_transfer(Stream& from, Stream& to, std::size_t size) {
        const std::vector<std::byte> bytes(size, std::byte{7});
        std::vector<std::byte> taken(size + 1);
        ASSERT_EQ(*send(from, bytes), size);
        carry_all();
        ASSERT_EQ(*receive(to, taken), size);
        EXPECT_EQ(taken[size - 1], bytes[size - 1]);
    }
    void expect_end_of(Stream& stream) {
        std::vector<std::byte> taken(1);
        const auto got = receive(stream, taken);
        ASSERT_TRUE(got);
        EXPECT_EQ(*got, 0U);
    }
    void close_both_to_keep() {
        caller_.close(CloseMode::keep);
        carry_all();
        expect_end_of(answerer_);
        answerer_.close(CloseMode::keep);
        carry_all();
    }
};

TEST_F(MirrorReuse, whoever_calls_knows_whether_the_far_end_would_be_kept) {
    EXPECT_TRUE(caller_.would_peer_keep());
    EXPECT_FALSE(answerer_.would_peer_keep());
}

TEST_F(MirrorReuse, it_is_used_again_and_again) {
    for (std::uint32_t use = 1; use <= 5; ++use) {
        expect_transfer(caller_, answerer_, 1'000 + use);
        expect_transfer(answerer_, caller_, kRing - use);
        close_both_to_keep();
        ASSERT_TRUE(caller_.may_begin_again()) << use;
        ASSERT_TRUE(caller_.begin_again(5'000 + use));
        EXPECT_FALSE(caller_.is_heard());
        ASSERT_TRUE(carry(here_, there_));
        EXPECT_TRUE(answerer_.has_caller());
        ASSERT_TRUE(carry(there_, here_));
        EXPECT_TRUE(caller_.is_heard()) << "before it is accepted";
        EXPECT_FALSE(caller_.is_refused());
        EXPECT_EQ(answerer_.accept_again(), 5'000 + use);
        carry_all();
    }
}

TEST_F(MirrorReuse, bytes_of_a_caller_that_is_heard_are_there_when_it_is_accepted) {
    close_both_to_keep();
    ASSERT_TRUE(caller_.begin_again(5'000));
    carry_all();
    ASSERT_TRUE(caller_.is_heard());
    const std::vector<std::byte> bytes(100);
    ASSERT_EQ(*send(caller_, bytes), 100U);
    caller_.shutdown_write();
    carry_all();
    ASSERT_EQ(answerer_.accept_again(), 5'000U);
    std::vector<std::byte> taken(200);
    EXPECT_EQ(*receive(answerer_, taken), 100U);
    expect_end_of(answerer_);
    expect_transfer(answerer_, caller_, 50);
}

TEST_F(MirrorReuse, a_call_that_meets_a_far_end_that_left_is_refused) {
    close_both_to_keep();
    ASSERT_TRUE(caller_.begin_again(5'000));
    ASSERT_TRUE(answerer_.stop_keeping());
    carry_all();
    EXPECT_FALSE(caller_.is_heard());
    EXPECT_TRUE(caller_.is_refused());
}

TEST_F(MirrorReuse, a_far_end_that_was_shown_a_call_does_not_leave) {
    close_both_to_keep();
    ASSERT_TRUE(caller_.begin_again(5'000));
    ASSERT_TRUE(carry(here_, there_));
    EXPECT_FALSE(answerer_.stop_keeping());
    ASSERT_TRUE(carry(there_, here_));
    EXPECT_TRUE(caller_.is_heard());
    EXPECT_EQ(answerer_.accept_again(), 5'000U);
}

TEST_F(MirrorReuse, a_caller_that_gives_up_is_a_reset_for_who_accepts_it) {
    close_both_to_keep();
    ASSERT_TRUE(caller_.begin_again(5'000));
    caller_.close(CloseMode::abort);
    carry_all();
    ASSERT_EQ(answerer_.accept_again(), 5'000U);
    std::vector<std::byte> taken(1);
    EXPECT_EQ(receive(answerer_, taken).error().sys_errno, ECONNRESET);
}

TEST_F(MirrorReuse, a_lost_node_ends_the_keeping_at_either_end) {
    close_both_to_keep();
    here_.reset();
    there_.reset();
    EXPECT_TRUE(caller_.is_left());
    EXPECT_TRUE(answerer_.is_left());
}

TEST_F(MirrorReuse, a_lost_node_refuses_a_call_that_was_not_heard_and_resets_one_that_was) {
    close_both_to_keep();
    ASSERT_TRUE(caller_.begin_again(5'000));
    here_.reset();
    EXPECT_TRUE(caller_.is_refused());
}

TEST_F(MirrorReuse, a_lost_node_resets_a_connection_that_was_heard_and_not_accepted) {
    close_both_to_keep();
    ASSERT_TRUE(caller_.begin_again(5'000));
    carry_all();
    here_.reset();
    EXPECT_FALSE(caller_.is_refused());
    std::vector<std::byte> taken(1);
    EXPECT_EQ(receive(caller_, taken).error().sys_errno, ECONNRESET);
}

TEST_F(MirrorReuse, a_far_program_that_vanished_is_not_called_again) {
    close_both_to_keep();
    here_.vanish();
    EXPECT_TRUE(caller_.is_left());
}

TEST_F(MirrorReuse, between_uses_is_who_has_told_and_heard_all) {
    EXPECT_FALSE(here_.is_between_uses());
    caller_.close(CloseMode::keep);
    EXPECT_FALSE(here_.is_between_uses()) << "the far end is open";
    carry_all();
    expect_end_of(answerer_);
    answerer_.close(CloseMode::keep);
    EXPECT_FALSE(here_.is_between_uses()) << "not heard yet";
    carry_all();
    EXPECT_TRUE(here_.is_between_uses());
    EXPECT_FALSE(there_.is_between_uses()) << "only who called can tell";
    ASSERT_TRUE(caller_.begin_again(5'000));
    EXPECT_TRUE(here_.is_between_uses());
    carry_all();
    EXPECT_FALSE(here_.is_between_uses()) << "there is a caller";
}

TEST_F(MirrorReuse, another_mirror_goes_on_with_the_use_that_it_finds) {
    close_both_to_keep();
    ASSERT_TRUE(caller_.begin_again(5'000));
    carry_all();
    ASSERT_EQ(answerer_.accept_again(), 5'000U);
    carry_all();
    auto adopted = Mirror::adopt(here_memory_.map_slab(), here_memory_.geometry(), 0);
    ASSERT_TRUE(adopted);
    here_ = std::move(*adopted);
    ASSERT_TRUE(here_.resume(there_.progress()));
    ASSERT_TRUE(there_.resume(here_.progress()));
    expect_transfer(caller_, answerer_, 500);
    expect_transfer(answerer_, caller_, 600);
    close_both_to_keep();
    EXPECT_TRUE(caller_.may_begin_again());
}

}  // namespace
}  // namespace xylem::bridge
