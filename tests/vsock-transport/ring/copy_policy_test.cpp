#include "vsock-transport/ring/copy_policy.hpp"

#include <gtest/gtest.h>

#include <array>

namespace xylem {
namespace {

constexpr std::uint64_t kPieceBytes = 64 << 10;
constexpr std::uint64_t kRingBytes = 2 << 20;
constexpr std::uint64_t kWindowPieces = 2 * kRingBytes / kPieceBytes;

// A producer for which a piece costs copy_ns[mode] to copy and wait_ns[mode] of waiting for room.
class Producer {
  public:
    std::array<std::uint64_t, 2> copy_ns{};
    std::array<std::uint64_t, 2> wait_ns{};

    // Sends that many pieces and returns how many of them were streamed.
    std::uint64_t send(std::uint64_t pieces) {
        std::uint64_t streamed = 0;
        for (; pieces > 0; --pieces) {
            const unsigned mode = policy_.is_streaming() ? 1 : 0;
            streamed += mode;
            if (wait_ns[mode] != 0) policy_.ring_full(now_ns_);
            now_ns_ += wait_ns[mode];
            const std::uint64_t start_ns = now_ns_;
            now_ns_ += copy_ns[mode];
            policy_.copied(kPieceBytes, start_ns, now_ns_, kRingBytes);
        }
        return streamed;
    }
    bool is_streaming() const { return policy_.is_streaming(); }

  private:
    CopyPolicy policy_{};
    std::uint64_t now_ns_ = 1;
};

TEST(copy_policy, begins_with_cached_stores) { EXPECT_FALSE(CopyPolicy{}.is_streaming()); }

TEST(copy_policy, tries_ever_more_rarely_what_keeps_losing) {
    Producer producer;
    producer.copy_ns = {2'000, 20'000};
    producer.send(2'000 * kWindowPieces);
    const std::uint64_t pieces = 10'000 * kWindowPieces;
    const std::uint64_t streamed = producer.send(pieces);
    EXPECT_GT(streamed, 0U);
    EXPECT_LT(streamed, pieces / 400);
    EXPECT_FALSE(producer.is_streaming());
}

TEST(copy_policy, keeps_what_copies_faster) {
    Producer producer;
    producer.copy_ns = {20'000, 4'000};
    producer.send(16 * kWindowPieces);
    const std::uint64_t pieces = 10'000 * kWindowPieces;
    EXPECT_GT(producer.send(pieces), pieces / 100 * 98);
}

TEST(copy_policy, counts_the_wait_for_room_too) {
    Producer producer;
    producer.copy_ns = {2'000, 4'000};
    producer.wait_ns = {18'000, 0};
    producer.send(16 * kWindowPieces);
    EXPECT_TRUE(producer.is_streaming());
}

TEST(copy_policy, does_not_change_for_a_difference_of_a_few_percent) {
    Producer producer;
    producer.copy_ns = {10'000, 9'500};
    producer.send(2'000 * kWindowPieces);
    EXPECT_FALSE(producer.is_streaming());
}

TEST(copy_policy, follows_when_the_processors_are_moved) {
    Producer producer;
    producer.copy_ns = {2'000, 4'000};
    producer.send(5'000 * kWindowPieces);
    producer.copy_ns = {20'000, 4'000};
    producer.send(32 * kWindowPieces);
    EXPECT_TRUE(producer.is_streaming()) << "a mode that has become dear is tried against the other at once";
    producer.copy_ns = {2'000, 4'000};
    producer.send(2'100 * kWindowPieces);
    EXPECT_FALSE(producer.is_streaming());
}

TEST(copy_policy, takes_a_stopped_process_for_a_hiccup) {
    Producer producer;
    producer.copy_ns = {2'000, 4'000};
    producer.send(500 * kWindowPieces);
    producer.copy_ns[0] = 3'600'000'000'000;
    producer.send(1);
    producer.copy_ns[0] = 2'000;
    producer.send(200 * kWindowPieces);
    EXPECT_FALSE(producer.is_streaming());
}

}  // namespace
}  // namespace xylem
