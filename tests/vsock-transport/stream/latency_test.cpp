#include "vsock-transport/stream/latency.hpp"

#include <gtest/gtest.h>

#include "tests/vsock-transport/stream/scripted_pair.hpp"

namespace xylem {
namespace {

TEST(Latency, each_time_lies_below_its_bound_and_not_below_the_one_before) {
    for (std::uint64_t ns = 64; ns < 100'000'000'000; ns += ns / 37 + 1) {
        const unsigned bucket = latency_bucket(ns);
        if (bucket == kLatencyBuckets - 1) break;
        ASSERT_LT(ns, latency_bound_ns(bucket));
        if (bucket > 0) {
            ASSERT_GE(ns, latency_bound_ns(bucket - 1));
        }
    }
}

TEST(Latency, bounds_grow_by_a_quarter_at_most) {
    for (unsigned bucket = 1; bucket < kLatencyBuckets; ++bucket) {
        EXPECT_GT(latency_bound_ns(bucket), latency_bound_ns(bucket - 1));
        EXPECT_LE(latency_bound_ns(bucket), latency_bound_ns(bucket - 1) * 5 / 4);
    }
    EXPECT_GT(latency_bound_ns(kLatencyBuckets - 1), 60'000'000'000U);
}

TEST(Latency, counts_and_sums) {
    LatencyHistogram histogram{};
    histogram.add(100);
    histogram.add(100);
    histogram.add(5'000);
    EXPECT_EQ(histogram.counts[latency_bucket(100)].load_relaxed(), 2U);
    EXPECT_EQ(histogram.counts[latency_bucket(5'000)].load_relaxed(), 1U);
    EXPECT_EQ(histogram.sum_ns.load_relaxed(), 5'200U);
}

class TimedPair : public ScriptedPair {
  protected:
    static std::uint64_t replies(const Stream& stream) {
        std::uint64_t sum = 0;
        for (const AtomicU64& count : stream.page().replies.counts) sum += count.load_relaxed();
        return sum;
    }
    void round_trip() {
        ASSERT_EQ(send(near_, 10), 10U);
        ASSERT_EQ(receive(far_, 10), 10U);
        ASSERT_EQ(send(far_, 20), 20U);
        ASSERT_EQ(receive(near_, 20), 20U);
    }
};

TEST_F(TimedPair, replies_are_timed_where_the_end_called) {
    round_trip();
    EXPECT_EQ(replies(near_), 1U);
    EXPECT_EQ(replies(far_), 0U);
    EXPECT_GT(near_.page().replies.sum_ns.load_relaxed(), 0U);
}

TEST_F(TimedPair, some_of_many_replies_are_timed) {
    for (int i = 0; i < 640; ++i) round_trip();
    EXPECT_GE(replies(near_), 20U);
    EXPECT_LE(replies(near_), 50U);
}

TEST_F(TimedPair, a_reply_in_pieces_counts_once_and_bytes_that_nobody_asked_for_do_not) {
    ASSERT_EQ(send(far_, 20), 20U);
    ASSERT_EQ(receive(near_, 20), 20U);
    EXPECT_EQ(replies(near_), 0U);
    ASSERT_EQ(send(near_, 10), 10U);
    ASSERT_EQ(send(far_, 20), 20U);
    ASSERT_EQ(receive(near_, 7), 7U);
    ASSERT_EQ(receive(near_, 13), 13U);
    EXPECT_EQ(replies(near_), 1U);
}

TEST_F(TimedPair, the_short_way_times_too) {
    char bytes[10] = {};
    ASSERT_TRUE(near_.send_at_once(bytes, sizeof bytes));
    ASSERT_TRUE(far_.send_at_once(bytes, sizeof bytes));
    ASSERT_EQ(near_.receive_at_once(bytes, sizeof bytes), sizeof bytes);
    EXPECT_EQ(replies(near_), 1U);
}

TEST_F(TimedPair, what_sends_without_end_is_soon_not_timed_any_more) {
    for (int i = 0; i < 10; ++i) ASSERT_EQ(send(near_, 1), 1U);
    EXPECT_EQ(near_.page().asked_at_ns.load_relaxed(), 0U);
}

TEST_F(TimedPair, the_time_of_a_full_ring_is_counted) {
    ASSERT_EQ(send(near_, kRing), kRing);
    EXPECT_EQ(near_.page().counters.ring_full_ns.load_relaxed(), 0U);
    EXPECT_FALSE(send(near_, 1));
    EXPECT_FALSE(send(near_, 1));
    ASSERT_EQ(receive(far_, kRing), kRing);
    char byte = 0;
    EXPECT_FALSE(near_.send_at_once(&byte, 1)) << "the general way counts";
    ASSERT_EQ(send(near_, 1), 1U);
    EXPECT_GT(near_.page().counters.ring_full_ns.load_relaxed(), 0U);
    EXPECT_EQ(near_.page().counters.ring_full.load_relaxed(), 2U);
    EXPECT_TRUE(near_.send_at_once(&byte, 1));
}

}  // namespace
}  // namespace xylem
