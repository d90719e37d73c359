// Both halves of a ring, without threads; the other half is what the test writes into its line.
#include <gtest/gtest.h>

#include <vector>

#include "vsock-transport/ring/consumer.hpp"
#include "vsock-transport/ring/producer.hpp"

namespace xylem {
namespace {

constexpr std::uint64_t kSize = 4096;

class Ring : public testing::TestWithParam<Cursor> {
  protected:
    void SetUp() override {
        const Cursor start = GetParam();
        for (AtomicU64* word : {&producer_state_.head, &producer_state_.peer_tail, &consumer_state_.tail,
                                &consumer_state_.peer_head, &producer_line_.head, &consumer_line_.tail,
                                &producer_state_.origin, &producer_line_.origin}) {
            word->store_relaxed(start);
        }
    }
    Producer producer() { return {producer_state_, producer_line_, consumer_line_, data_.data(), kSize}; }
    Consumer consumer() { return {consumer_state_, consumer_line_, producer_line_, data_.data(), kSize}; }

    void produce(std::size_t length) {
        std::vector<std::byte> bytes(length);
        for (std::byte& byte : bytes) byte = static_cast<std::byte>(next_in_++);
        const iovec vector{bytes.data(), length};
        IoCursor source(&vector, 1);
        producer().produce(source, length);
    }
    void expect_next(std::size_t length, std::uint64_t skip = 0) {
        std::vector<std::byte> bytes(length);
        const iovec vector{bytes.data(), length};
        IoCursor destination(&vector, 1);
        consumer().copy(destination, length, skip);
        auto expected = static_cast<std::uint8_t>(next_out_ + skip);
        for (const std::byte byte : bytes) ASSERT_EQ(static_cast<std::uint8_t>(byte), expected++);
    }
    void consume(std::size_t length) {
        expect_next(length);
        consumer().consume(length);
        next_out_ = static_cast<std::uint8_t>(next_out_ + length);
    }
    static void expect_lie(const Result<std::uint64_t>& result) {
        ASSERT_FALSE(result.has_value());
        EXPECT_EQ(result.error().kind, ErrorKind::peer_lied);
    }

    ProducerState producer_state_;
    ConsumerState consumer_state_;
    ProducerLine producer_line_{};
    ConsumerLine consumer_line_{};
    std::vector<std::byte> data_ = std::vector<std::byte>(kSize);
    std::uint8_t next_in_ = 0;
    std::uint8_t next_out_ = 0;
};
INSTANTIATE_TEST_SUITE_P(starting_at, Ring,
                         testing::Values(Cursor{0}, ~Cursor{0}, ~Cursor{0} - 2'000, Cursor{1} << 63));

TEST_P(Ring, carries_bytes_over_its_wrap_and_that_of_the_cursors) {
    for (std::size_t length = 1; length <= kSize; length = length * 3 / 2 + 1) {
        for (int times = 0; times < 3; ++times) {
            EXPECT_EQ(producer().free_for(kSize), kSize);
            produce(length);
            EXPECT_EQ(producer().free_for(kSize), kSize - length);
            EXPECT_EQ(consumer().used(kSize), length);
            consume(length);
            EXPECT_EQ(consumer().used(1), 0U);
        }
    }
}

TEST_P(Ring, looks_at_the_other_side_only_when_the_cached_cursor_says_full_or_empty) {
    produce(100);
    EXPECT_EQ(consumer().used(1), 100U);
    produce(100);
    EXPECT_EQ(consumer().used(100), 100U) << "the cached head was enough";
    EXPECT_EQ(consumer().used(101), 200U);
    consume(150);
    EXPECT_EQ(producer().free_for(kSize - 200), kSize - 200) << "the cached tail was enough";
    EXPECT_EQ(producer().free_for(kSize), kSize - 50);
}

TEST_P(Ring, copying_from_the_middle_leaves_everything) {
    produce(1'000);
    ASSERT_EQ(consumer().used(1'000), 1'000U);
    expect_next(600, 400);
    EXPECT_EQ(consumer().used(1'000), 1'000U);
    consume(1'000);
}

TEST_P(Ring, small_messages_begin_anew_at_its_beginning_once_it_is_empty) {
    const std::byte* const beginning = data_.data();
    for (std::uint64_t done = 0; done < kRewindBytes; done += 64) {
        EXPECT_EQ(producer().rewind_if_empty(64), false) << done;
        ASSERT_EQ(producer().free_for(kSize), kSize);
        produce(64);
        ASSERT_EQ(consumer().used(1), 64U);
        consume(64);
    }
    ASSERT_EQ(producer().free_for(kSize), kSize);
    produce(100);
    EXPECT_EQ(producer().rewind_if_empty(kRewindLookBytes), false) << "not empty";
    ASSERT_EQ(consumer().used(1), 100U);
    consume(100);
    EXPECT_EQ(producer().rewind_if_empty(kRewindLookBytes), true);
    produce(10);
    EXPECT_EQ(static_cast<std::uint8_t>(*beginning), static_cast<std::uint8_t>(next_in_ - 10));
    ASSERT_EQ(consumer().used(1), 10U);
    consume(10);
    EXPECT_EQ(producer().rewind_if_empty(kRewindLookBytes), false) << "it has just been there";
}

TEST_P(Ring, a_producer_that_died_while_rewinding_is_repaired) {
    for (std::uint64_t done = 0; done < kRewindBytes; done += 1'024) {
        produce(1'024);
        ASSERT_EQ(consumer().used(1), 1'024U);
        consume(1'024);
        ASSERT_EQ(producer().free_for(kSize), kSize);
    }
    producer_state_.origin.store_relaxed(producer_state_.head.load_relaxed() - 3);  // and then it died
    producer().republish();
    produce(10);
    ASSERT_EQ(consumer().used(1), 10U);
    consume(10);
}

TEST_P(Ring, no_origin_leads_outside_of_it) {
    std::vector<std::byte> bytes(kSize);
    const iovec vector{bytes.data(), bytes.size()};
    for (const Cursor lie : {Cursor{1}, ~Cursor{0}, Cursor{1} << 63, GetParam() + kSize + 1}) {
        produce(kSize);
        producer_line_.origin.store_relaxed(lie);
        ASSERT_EQ(consumer().used(kSize), kSize);
        IoCursor destination(&vector, 1);
        consumer().copy(destination, kSize, 0);
        consumer().consume(kSize);
        ASSERT_EQ(producer().free_for(kSize), kSize);
    }
}

TEST_P(Ring, a_consumer_believes_no_head_that_goes_back_or_beyond) {
    produce(100);
    ASSERT_EQ(consumer().used(1), 100U);
    for (const Cursor lie :
         {GetParam() + 99, GetParam() - 1, GetParam() + kSize + 1, GetParam() + (Cursor{1} << 63)}) {
        producer_line_.head.store_release(lie);
        expect_lie(consumer().used(101));
        EXPECT_EQ(consumer().used(100), 100U) << "what was believed stays";
    }
    producer_line_.head.store_release(GetParam() + kSize);
    EXPECT_EQ(consumer().used(kSize), kSize) << "a full ring is no lie";
}

TEST_P(Ring, a_producer_believes_no_tail_that_goes_back_or_beyond) {
    produce(kSize);
    consumer_line_.tail.store_release(GetParam() + 100);
    ASSERT_EQ(producer().free_for(1), 100U);
    for (const Cursor lie :
         {GetParam() + 99, GetParam() - 1, GetParam() + kSize + 1, GetParam() + (Cursor{1} << 63)}) {
        consumer_line_.tail.store_release(lie);
        expect_lie(producer().free_for(101));
        EXPECT_EQ(producer().free_for(100), 100U);
    }
    consumer_line_.tail.store_release(GetParam() + kSize);
    EXPECT_EQ(producer().free_for(kSize), kSize) << "an empty ring is no lie";
}

TEST_P(Ring, publishing_again_repairs_what_a_dead_holder_left_between_two_stores) {
    produce(10);
    producer_line_.head.store_relaxed(GetParam());
    producer().republish();
    EXPECT_EQ(consumer().used(1), 10U);
    consume(10);
    consumer_line_.tail.store_relaxed(GetParam());
    consumer().republish();
    EXPECT_EQ(producer().free_for(kSize), kSize);
}

}  // namespace
}  // namespace xylem
