// What was lost on the way between two mirrors is sent again, also by mirrors that take up what others left.
#include "tests/rdma-bridge/mirror_pair.hpp"

namespace xylem::bridge {
namespace {

class MirrorResumeTest : public MirrorTest {
  protected:
    static Mirror adopted(const StreamMemory& memory, unsigned home_side) {
        auto made = Mirror::adopt(memory.map_slab(), memory.geometry(), home_side);
        EXPECT_TRUE(made);
        return std::move(*made);
    }
    void resume_both() {
        const Progress here = here_.progress();
        ASSERT_TRUE(here_.resume(there_.progress()));
        ASSERT_TRUE(there_.resume(here));
    }
    // What `from` says, of which so much comes.
    static void carry_part(Mirror& from, Mirror& to, std::size_t bytes) {
        ASSERT_TRUE(from.look());
        const Mirror::Stretch stretch = from.unsent(kRing);
        const std::size_t length = std::min(bytes, stretch.first_bytes);
        const Mirror::Room room = to.room(from.cursor(), length);
        const std::size_t fits = std::min(length, room.size_bytes);
        if (fits > 0) std::memcpy(room.bytes, stretch.first, fits);
        to.note_received(fits);
        from.note_sent(stretch.first_bytes + stretch.second_bytes);
    }
};

TEST_F(MirrorResumeTest, what_was_lost_is_sent_again) {
    const Pattern pattern(3);
    ASSERT_EQ(*send(caller_, pattern.at(0, 1'000)), 1'000U);
    carry_part(here_, there_, 400);
    resume_both();
    EXPECT_EQ(here_.cursor(), 400U);
    carry_all();
    std::vector<std::byte> bytes(2'000);
    ASSERT_EQ(*receive(answerer_, bytes), 1'000U);
    EXPECT_TRUE(pattern.matches(0, std::span(bytes).first(1'000)));
}

TEST_F(MirrorResumeTest, an_end_that_was_lost_waits_for_its_bytes) {
    ASSERT_EQ(*send(caller_, std::vector<std::byte>(1'000)), 1'000U);
    caller_.shutdown_write();
    carry_part(here_, there_, 0);
    EXPECT_NE(here_.published().tx_state, 0U);
    resume_both();
    EXPECT_EQ(here_.published().tx_state, 0U);
    carry_all();
    std::vector<std::byte> bytes(2'000);
    EXPECT_EQ(*receive(answerer_, bytes), 1'000U);
    EXPECT_EQ(*receive(answerer_, bytes), 0U);
}

TEST_F(MirrorResumeTest, impossible_progress_is_refused) {
    ASSERT_EQ(*send(caller_, std::vector<std::byte>(1'000)), 1'000U);
    ASSERT_TRUE(carry(here_, there_));
    ASSERT_TRUE(here_.apply({500, 0, 0, 0}));
    EXPECT_FALSE(here_.resume({1'001, 500}));  // received what was never sent
    EXPECT_FALSE(here_.resume({499, 499}));    // less than it had consumed
    EXPECT_FALSE(here_.resume({700, 701}));    // consumed what it had not received
    EXPECT_EQ(here_.cursor(), 1'000U);
    EXPECT_TRUE(here_.resume({700, 600}));
    EXPECT_EQ(here_.cursor(), 700U);
    EXPECT_EQ(here_.far().tail, 600U);
}

TEST_F(MirrorResumeTest, mirrors_that_come_after_others_lose_nothing) {
    const Pattern pattern(4);
    Random random(5);
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    for (int i = 0; i < 3'000; ++i) {
        if (const auto done = send(caller_, pattern.at(sent, random.length(kRing)))) sent += *done;
        std::vector<std::byte> bytes(random.length(kRing));
        if (const auto got = receive(answerer_, bytes)) {
            ASSERT_TRUE(pattern.matches(received, std::span(bytes).first(*got))) << "at " << received;
            received += *got;
        }
        switch (random.below(5)) {
            case 0:
                carry_part(here_, there_, random.length(kRing));
                if (random.below(2) != 0) there_.publish();
                here_ = adopted(here_memory_, 0);
                resume_both();
                break;
            case 1:
                carry_part(here_, there_, random.length(kRing));
                there_ = adopted(there_memory_, 1);
                resume_both();
                break;
            case 2:
                here_ = adopted(here_memory_, 0);
                there_ = adopted(there_memory_, 1);
                resume_both();
                break;
            default:
                carry_all();
        }
    }
    EXPECT_GT(received, 500'000U);
}

TEST_F(MirrorResumeTest, words_that_no_bridge_left_are_not_taken_up) {
    const Mapping slab = here_memory_.map_slab();
    EndBlock& image = block_of(slab, 1);
    const auto refused_with = [&](auto& word, auto value) {
        const auto before = word.load_relaxed();
        word.store_relaxed(value);
        const bool is_refused = !Mirror::adopt(here_memory_.map_slab(), here_memory_.geometry(), 0);
        word.store_relaxed(before);
        return is_refused &&
               static_cast<bool>(Mirror::adopt(here_memory_.map_slab(), here_memory_.geometry(), 0));
    };
    EXPECT_TRUE(refused_with(image.producer.head, kRing + 1));
    EXPECT_TRUE(refused_with(image.producer.state, 6U));
    EXPECT_TRUE(refused_with(image.consumer.state, 2U));
}

TEST_F(MirrorResumeTest, of_an_adopted_image_the_far_node_knows_the_tail) {
    ASSERT_EQ(*send(caller_, std::vector<std::byte>(kRing)), kRing);
    const Mapping slab = here_memory_.map_slab();
    block_of(slab, 1).consumer.tail.store_relaxed(kRing);  // as if all were consumed: the program lies to us
    here_ = adopted(here_memory_, 0);
    EXPECT_FALSE(here_.resume({kRing + 1, 0}));
    EXPECT_TRUE(here_.resume({100, 50}));
    EXPECT_EQ(here_.far().tail, 50U);
    ASSERT_TRUE(here_.look());
    EXPECT_EQ(here_.unsent_bytes(), kRing - 100);
}

}  // namespace
}  // namespace xylem::bridge
