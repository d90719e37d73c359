// A far end that lies. It costs the liar the connection and nothing else: no crash, no step outside of the
// rings (backends put a guard page behind them), no hang.
#include <atomic>
#include <thread>

#include "tests/conformance/backend/backend.hpp"
#include "tests/support/byte_pattern.hpp"

namespace xylem::conformance {
namespace {

using testing_support::Pattern;
using testing_support::Random;

constexpr std::uint64_t kRing = 4096;

class Hostile : public BackendTest {
  protected:
    void SetUp() override {
        BackendTest::SetUp();
        connection_ = connect(kRing, kRing);
    }
    Stream& near() { return connection_->end(0); }
    EndBlock& lies() { return connection_->block(1); }

    Result<std::size_t> near_call(bool is_send, std::size_t length) {
        buffer_.resize(length);
        const iovec vector{buffer_.data(), length};
        IoCursor cursor(&vector, 1);
        return is_send ? near().send_some(cursor) : near().receive_some(cursor, ReceiveMode::consume);
    }
    void far_sends(std::size_t length) {
        ASSERT_EQ(blocking(*connection_, 1).send(pattern_.at(0, length)), length);
    }
    static void expect_reset_once(const Result<std::size_t>& first, const Result<std::size_t>& second) {
        ASSERT_FALSE(first.has_value()) << "got " << *first;
        EXPECT_EQ(first.error().kind, ErrorKind::reset);
        EXPECT_EQ(first.error().sys_errno, ECONNRESET);
        EXPECT_EQ(second, 0U);
    }

    std::unique_ptr<Connection> connection_;
    Pattern pattern_{1};
    std::vector<std::byte> buffer_;
};
XYLEM_FOR_ALL_BACKENDS(Hostile);

TEST_P(Hostile, a_head_beyond_the_ring_resets_the_connection) {
    for (const std::uint64_t lie : {kRing + 1, kRing * 2, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
        connection_ = connect(kRing, kRing);
        lies().producer.head.store_release(lie);
        EXPECT_TRUE(near().is_ready(Direction::readable));
        const Result<std::size_t> first = near_call(false, 100);
        expect_reset_once(first, near_call(false, 100));
        EXPECT_EQ(connection_->block(0).producer.state.load_acquire(),
                  static_cast<std::uint32_t>(TxState::reset))
            << "the liar is told";
    }
}

TEST_P(Hostile, a_head_that_goes_back_resets_the_connection) {
    far_sends(100);
    ASSERT_EQ(near_call(false, 50), 50U);
    lies().producer.head.store_release(99);
    ASSERT_EQ(near_call(false, 50), 50U) << "what was believed once stays readable";
    const Result<std::size_t> first = near_call(false, 1);
    expect_reset_once(first, near_call(false, 1));
}

TEST_P(Hostile, a_tail_beyond_the_head_resets_the_connection_and_is_no_place_to_sleep) {
    for (const std::uint64_t lie :
         {kRing + 1, std::uint64_t{1} << 40, std::uint64_t{1} << 62, ~std::uint64_t{0}}) {
        connection_ = connect(kRing, kRing);
        ASSERT_EQ(near_call(true, kRing), kRing);
        lies().consumer.tail.store_release(lie);
        EXPECT_TRUE(near().is_ready(Direction::writable)) << lie;
        const Result<std::size_t> sent = near_call(true, 1);
        ASSERT_FALSE(sent.has_value());
        EXPECT_EQ(sent.error().sys_errno, ECONNRESET);
        EXPECT_EQ(near_call(true, 1).error().sys_errno, EPIPE);
        EXPECT_EQ(near_call(false, 1), 0U);
    }
}

TEST_P(Hostile, a_tail_that_goes_back_resets_the_connection) {
    ASSERT_EQ(near_call(true, kRing), kRing);
    std::byte bytes[kRing];
    ASSERT_EQ(blocking(*connection_, 1).receive_all(bytes), kRing);
    ASSERT_EQ(near_call(true, kRing), kRing) << "the new tail was believed";
    lies().consumer.tail.store_release(kRing - 1);
    EXPECT_EQ(near_call(true, 1).error().sys_errno, ECONNRESET);
}

TEST_P(Hostile, a_state_that_does_not_exist_is_a_reset) {
    ASSERT_EQ(near_call(true, kRing), kRing);
    lies().producer.state.store_release(77);
    EXPECT_TRUE(near().is_ready(Direction::readable));
    EXPECT_TRUE(near().is_ready(Direction::writable));
    EXPECT_FALSE(near_call(true, 1).has_value());
    EXPECT_EQ(near_call(false, 1), 0U);
}

TEST_P(Hostile, states_that_come_and_go_neither_hang_nor_crash) {
    std::atomic<bool> over{false};
    std::thread liar([&] {
        Random random(5);
        while (!over.load()) {
            lies().producer.state.store_release(static_cast<std::uint32_t>(random.below(8)));
            lies().consumer.state.store_release(static_cast<std::uint32_t>(random.below(3)));
            connection_->block(0).producer.state.store_release(static_cast<std::uint32_t>(random.below(8)));
        }
    });
    for (int i = 0; i < 2'000; ++i) {
        (void)near_call(true, 100);
        (void)near_call(false, 100);
        (void)near().readiness();
    }
    near().shutdown_write();
    near().close(CloseMode::orderly);
    over = true;
    liar.join();
}

// Both directions carry traffic while the far side's words are scribbled over.
TEST_P(Hostile, random_cursors_amid_traffic_end_that_stream_only) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        connection_ = connect(kRing, kRing);
        const auto far = backend().run([&, seed] {
            Random random(seed);
            for (int i = 0; i < 200; ++i) {
                std::byte bytes[700];
                const iovec vector{bytes, sizeof bytes};
                IoCursor in(&vector, 1);
                (void)connection_->end(1).receive_some(in, ReceiveMode::consume);
                IoCursor out(&vector, 1);
                (void)connection_->end(1).send_some(out);
            }
            for (int i = 0; i < 2'000; ++i) {
                AtomicU64& word = i % 2 == 0 ? lies().producer.head : lies().consumer.tail;
                word.store_release(random.next() >> random.below(64));
            }
            lies().producer.head.store_release(1ULL << 62);
            lies().consumer.tail.store_release(1ULL << 62);
        });
        bool is_reset = false;
        while (!is_reset) {
            for (const bool is_send : {true, false}) {
                const Result<std::size_t> done = near_call(is_send, 10'000);
                if (!done && done.error().kind == ErrorKind::reset) is_reset = true;
            }
        }
        EXPECT_EQ(near_call(false, 1), 0U);
    }
    const auto other = connect(kRing, kRing);
    BlockingEnd sender = blocking(*other, 1);
    EXPECT_EQ(sender.send(pattern_.at(0, 10)), 10U) << "other connections go on";
}

// Lies about the near end's own words change nothing: it does not read them back.
TEST_P(Hostile, scribbling_over_the_words_of_the_other_side_moves_none_of_its_cursors) {
    far_sends(100);
    ASSERT_EQ(near_call(true, 100), 100U);
    EndBlock& published = connection_->block(0);
    published.producer.head.store_release(~0ULL);
    published.consumer.tail.store_release(~0ULL);
    ASSERT_EQ(near_call(false, 100), 100U);
    EXPECT_TRUE(pattern_.matches(0, buffer_));
    ASSERT_EQ(near_call(true, 100), 100U);
    EXPECT_EQ(published.producer.head.load_acquire(), 200U);
    EXPECT_EQ(published.consumer.tail.load_acquire(), 100U);
}

TEST_P(Hostile, random_tokens_in_the_wake_up_slots_do_no_harm) {
    Random random(3);
    for (int i = 0; i < 2'000; ++i) {
        for (unsigned slot = 0; slot < kWaiterSlots; ++slot) {
            lies().wakeup.readable[slot].store_release(random.next() >> random.below(64));
            lies().wakeup.writable[slot].store_release(bells().set_token(1, 0xFFFF).bits());
        }
        ASSERT_EQ(near_call(true, 16), 16U);
        std::byte bytes[16];
        ASSERT_EQ(blocking(*connection_, 1).receive_all(bytes), 16U);
    }
}

TEST_P(Hostile, slots_that_a_peer_wipes_cost_the_own_waiter_time_and_never_a_hang) {
    const auto far = backend().run([&] {
        AtomicU64& slot = connection_->block(0).wakeup.readable[0];
        while (slot.load_acquire() == 0) std::this_thread::yield();
        slot.store_release(0);
        far_sends(1);
    });
    std::byte byte;
    EXPECT_EQ(blocking(*connection_, 0).receive({&byte, 1}), 1U);
    EXPECT_EQ(near().page().readable_waiters[0].load_relaxed(), 0U);
}

TEST_P(Hostile, a_lie_found_by_one_thread_wakes_the_others_of_this_end) {
    ASSERT_EQ(near_call(true, kRing), kRing);
    std::thread reader([&] {
        std::byte byte;
        const Result<std::size_t> got = blocking(*connection_, 0).receive({&byte, 1});
        EXPECT_EQ(got, 0U) << "the sender took the error";
    });
    while (connection_->block(0).wakeup.readable[0].load_acquire() == 0) std::this_thread::yield();
    lies().consumer.tail.store_release(1ULL << 62);
    EXPECT_EQ(near_call(true, 1).error().sys_errno, ECONNRESET);
    reader.join();
}

}  // namespace
}  // namespace xylem::conformance
