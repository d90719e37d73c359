// What goes in comes out: in order, whole, for every ring size, whoever waits for whom.
#include <thread>

#include "tests/conformance/backend/backend.hpp"
#include "tests/support/byte_pattern.hpp"

namespace xylem::conformance {
namespace {

using testing_support::Pattern;
using testing_support::Random;

constexpr std::uint64_t kMiB = 1 << 20;

// Sends total pattern bytes in pieces of random length.
void send_pattern(BlockingEnd& end, std::uint64_t seed, std::uint64_t total, std::size_t longest) {
    const Pattern pattern(seed);
    Random random(seed);
    for (std::uint64_t at = 0; at < total;) {
        const auto bytes = pattern.at(at, std::min<std::uint64_t>(random.length(longest), total - at));
        const Result<std::size_t> sent = end.send(bytes);
        ASSERT_TRUE(sent.has_value());
        at += *sent;
    }
}

void expect_pattern(BlockingEnd& end, std::uint64_t seed, std::uint64_t total, std::size_t longest) {
    const Pattern pattern(seed);
    Random random(~seed);
    std::vector<std::byte> buffer(longest);
    std::uint64_t at = 0;
    while (true) {
        const Result<std::size_t> got = end.receive(std::span(buffer).first(random.length(longest)));
        ASSERT_TRUE(got.has_value());
        if (*got == 0) break;
        ASSERT_TRUE(pattern.matches(at, std::span(buffer).first(*got))) << "near byte " << at;
        at += *got;
    }
    EXPECT_EQ(at, total);
}

class Bytes : public BackendTest {
  protected:
    // One way, from side 1 to side 0, random pieces up to `longest`.
    void stream_one_way(std::uint64_t ring_bytes, std::uint64_t total, std::size_t longest) {
        const auto connection = connect(4096, ring_bytes);
        const auto far = backend().run([&] {
            BlockingEnd end = blocking(*connection, 1);
            send_pattern(end, ring_bytes, total, longest);
            connection->end(1).shutdown_write();
        });
        BlockingEnd near = blocking(*connection, 0);
        expect_pattern(near, ring_bytes, total, longest);
    }
};
XYLEM_FOR_ALL_BACKENDS(Bytes);

TEST_P(Bytes, of_random_pieces_arrive_in_order_through_the_smallest_ring) {
    stream_one_way(4096, 2 * kMiB, 20'000);
}

TEST_P(Bytes, of_random_pieces_arrive_in_order_through_the_default_ring) {
    stream_one_way(kDefaultRingSizeBytes, 16 * kMiB, 300'000);
}

TEST_P(Bytes, of_random_pieces_arrive_in_order_through_the_largest_ring) {
    stream_one_way(kMaxRingSizeBytes, 80 * kMiB, kMiB);
}

TEST_P(Bytes, flow_both_ways_at_once_through_rings_of_different_sizes) {
    const auto connection = connect(4096, 256 << 10);
    const auto far = backend().run([&] {
        std::thread sender([&] {
            BlockingEnd end = blocking(*connection, 1);
            send_pattern(end, 11, 4 * kMiB, 50'000);
            connection->end(1).shutdown_write();
        });
        BlockingEnd end = blocking(*connection, 1);
        expect_pattern(end, 22, kMiB, 9'000);
        sender.join();
    });
    std::thread sender([&] {
        BlockingEnd end = blocking(*connection, 0);
        send_pattern(end, 22, kMiB, 9'000);
        connection->end(0).shutdown_write();
    });
    BlockingEnd near = blocking(*connection, 0);
    expect_pattern(near, 11, 4 * kMiB, 50'000);
    sender.join();
}

TEST_P(Bytes, ping_pong_of_small_messages_loses_no_turn) {
    const auto connection = connect();
    constexpr std::uint64_t kTurns = 2'000;
    const auto turns = [&](unsigned side, std::uint32_t spin_ns) {
        BlockingEnd end = blocking(*connection, side, spin_ns);
        std::uint64_t word = 0;
        const auto bytes = std::as_writable_bytes(std::span(&word, 1));
        for (std::uint64_t turn = 0; turn < kTurns; ++turn) {
            if (side == 0) {
                ASSERT_EQ(end.send(std::as_bytes(std::span(&turn, 1))), 8U);
            }
            ASSERT_EQ(end.receive_all(bytes), 8U);
            ASSERT_EQ(word, turn);
            if (side == 1) {
                ASSERT_EQ(end.send(bytes), 8U);
            }
        }
    };
    const auto far = backend().run([&] { turns(1, 0); });
    turns(0, kDefaultSpinNs);
}

TEST_P(Bytes, that_were_peeked_at_stay_and_can_be_peeked_at_from_the_middle) {
    const auto connection = connect();
    BlockingEnd sender = blocking(*connection, 1);
    BlockingEnd reader = blocking(*connection, 0);
    const Pattern pattern(5);
    ASSERT_EQ(sender.send(pattern.at(0, 100)), 100U);
    std::byte buffer[100];
    for (int times = 0; times < 2; ++times) {
        ASSERT_EQ(reader.receive(buffer, ReceiveMode::peek), 100U);
        EXPECT_TRUE(pattern.matches(0, buffer));
    }
    const iovec vector{buffer, sizeof buffer};
    IoCursor middle(&vector, 1);
    ASSERT_EQ(connection->end(0).receive_some(middle, ReceiveMode::peek, 60), 40U);
    EXPECT_TRUE(pattern.matches(60, std::span(buffer).first(40)));
    EXPECT_EQ(connection->end(0).readable_bytes(), 100U);
    ASSERT_EQ(reader.receive(buffer), 100U);
    EXPECT_TRUE(pattern.matches(0, buffer));
}

TEST_P(Bytes, that_are_discarded_are_gone_and_the_rest_follows) {
    const auto connection = connect();
    BlockingEnd sender = blocking(*connection, 1);
    BlockingEnd reader = blocking(*connection, 0);
    const Pattern pattern(6);
    ASSERT_EQ(sender.send(pattern.at(0, 4096)), 4096U);
    std::byte untouched[4000] = {};
    ASSERT_EQ(reader.receive(untouched, ReceiveMode::discard), 4000U);
    EXPECT_EQ(untouched[0], std::byte{0});
    std::byte buffer[96];
    ASSERT_EQ(reader.receive_all(buffer), 96U);
    EXPECT_TRUE(pattern.matches(4000, buffer));
}

TEST_P(Bytes, that_are_measured_stay_and_are_not_copied) {
    const auto connection = connect();
    BlockingEnd sender = blocking(*connection, 1);
    BlockingEnd reader = blocking(*connection, 0);
    const Pattern pattern(8);
    ASSERT_EQ(sender.send(pattern.at(0, 100)), 100U);
    std::byte buffer[200] = {};
    ASSERT_EQ(reader.receive(buffer, ReceiveMode::measure), 100U);
    EXPECT_EQ(buffer[0], std::byte{0});
    EXPECT_EQ(connection->end(0).readable_bytes(), 100U);
    ASSERT_EQ(reader.receive(buffer), 100U);
    EXPECT_TRUE(pattern.matches(0, std::span(buffer).first(100)));
}

TEST_P(Bytes, counts_of_what_is_queued_agree_on_both_ends) {
    const auto connection = connect();
    BlockingEnd sender = blocking(*connection, 1);
    const Pattern pattern(7);
    EXPECT_EQ(connection->end(1).unsent_bytes(), 0U);
    ASSERT_EQ(sender.send(pattern.at(0, 4096)), 4096U);
    EXPECT_EQ(connection->end(1).unsent_bytes(), 4096U);
    EXPECT_EQ(connection->end(0).readable_bytes(), 4096U);
    std::byte buffer[4096];
    ASSERT_EQ(blocking(*connection, 0).receive_all(buffer), 4096U);
    EXPECT_EQ(connection->end(1).unsent_bytes(), 0U);
}

}  // namespace
}  // namespace xylem::conformance
