// Sleeping and waking: nobody sleeps through what he waits for, and kicks are only hints.
#include <signal.h>

#include <thread>

#include "tests/conformance/backend/backend.hpp"
#include "tests/support/byte_pattern.hpp"

namespace xylem::conformance {
namespace {

using testing_support::Pattern;

void nap(std::uint64_t ns) {
    const timespec time = to_timespec(ns);
    ::nanosleep(&time, nullptr);
}

class Waiting : public BackendTest {
  protected:
    // Until a thread of that end stands in a slot of that direction.
    static void await_sleeper(Connection& connection, unsigned side, Direction direction) {
        const WakeupLine& line = connection.block(side).wakeup;
        const AtomicU64* slots = direction == Direction::readable ? line.readable : line.writable;
        for (unsigned i = 0;; i = (i + 1) % kWaiterSlots) {
            if (slots[i].load_acquire() != 0) return;
            nap(20'000);
        }
    }
    Pattern pattern_{9};
};
XYLEM_FOR_ALL_BACKENDS(Waiting);

TEST_P(Waiting, a_writer_that_fills_the_ring_sleeps_until_half_is_free) {
    const auto connection = connect(4096, 8192);
    const auto far = backend().run([&] {
        BlockingEnd end = blocking(*connection, 1);
        ASSERT_EQ(end.send(pattern_.at(0, 8192 + 4096)), 8192U + 4096U);
        EXPECT_GE(connection->end(1).page().counters.sleeps.load_relaxed(), 1U);
    });
    await_sleeper(*connection, 1, Direction::writable);
    BlockingEnd near = blocking(*connection, 0);
    std::byte buffer[8192];
    EndCounters& counters = connection->end(0).page().counters;
    ASSERT_EQ(near.receive_all(std::span(buffer).first(4095)), 4095U);
    EXPECT_EQ(counters.kicks_sent.load_relaxed(), 0U) << "half is not free yet";
    EXPECT_FALSE(is_half_free(connection->block(1).producer.head.load_acquire(),
                              connection->block(0).consumer.tail.load_acquire(), 8192));
    ASSERT_EQ(near.receive_all(std::span(buffer).first(1)), 1U);
    ASSERT_EQ(near.receive_all(buffer), 8192U);
}

TEST_P(Waiting, an_end_that_was_half_closed_still_lets_the_writer_sleep_until_half_is_free) {
    const auto connection = connect(4096, 8192);
    connection->end(0).shutdown_write();
    const auto far = backend().run([&] {
        BlockingEnd end = blocking(*connection, 1);
        ASSERT_EQ(end.send(pattern_.at(0, 8192 + 4096)), 8192U + 4096U);
    });
    await_sleeper(*connection, 1, Direction::writable);
    BlockingEnd near = blocking(*connection, 0);
    std::byte buffer[8192];
    EndCounters& counters = connection->end(0).page().counters;
    ASSERT_EQ(near.receive_all(std::span(buffer).first(1000)), 1000U);
    EXPECT_EQ(counters.kicks_sent.load_relaxed() + counters.kicks_suppressed.load_relaxed(), 0U);
    ASSERT_EQ(near.receive_all(buffer), 8192U);
    ASSERT_EQ(near.receive_all(std::span(buffer).first(8192 + 4096 - 9192)), 8192U + 4096U - 9192U);
}

TEST_P(Waiting, a_sleeping_reader_wakes_for_data_an_end_and_a_reset) {
    for (int how = 0; how < 3; ++how) {
        const auto connection = connect();
        const auto far = backend().run([&] {
            await_sleeper(*connection, 0, Direction::readable);
            if (how == 0) {
                EXPECT_EQ(blocking(*connection, 1).send(pattern_.at(0, 1)), 1U);
            }
            if (how == 1) connection->end(1).shutdown_write();
            if (how == 2) connection->end(1).close(CloseMode::abort);
        });
        BlockingEnd near = blocking(*connection, 0);
        EXPECT_EQ(near.wait(Direction::readable), WaitResult::ready);
    }
}

TEST_P(Waiting, a_sleeping_writer_wakes_when_its_peer_closes) {
    const auto connection = connect();
    const auto far = backend().run([&] {
        await_sleeper(*connection, 0, Direction::writable);
        connection->end(1).close(CloseMode::orderly);
    });
    BlockingEnd near = blocking(*connection, 0);
    const Result<std::size_t> sent = near.send(pattern_.at(0, 9000));
    ASSERT_FALSE(sent.has_value());
    EXPECT_EQ(sent.error().sys_errno, ECONNRESET) << "the peer closed with unread data";
}

TEST_P(Waiting, shutting_down_the_own_end_wakes_its_own_sleepers) {
    const auto connection = connect();
    BlockingEnd filler = blocking(*connection, 0);
    ASSERT_EQ(filler.send(pattern_.at(0, 4096)), 4096U);
    std::thread reader([&] {
        std::byte byte;
        EXPECT_EQ(blocking(*connection, 0).receive({&byte, 1}), 0U);
    });
    std::thread writer([&] {
        const Result<std::size_t> sent = blocking(*connection, 0).send(pattern_.at(0, 1));
        ASSERT_FALSE(sent.has_value());
        EXPECT_EQ(sent.error().sys_errno, EPIPE);
    });
    await_sleeper(*connection, 0, Direction::readable);
    await_sleeper(*connection, 0, Direction::writable);
    connection->end(0).shutdown_read();
    connection->end(0).shutdown_write();
    reader.join();
    writer.join();
}

TEST_P(Waiting, a_vanished_peer_wakes_all_sleepers_of_this_end) {
    const auto connection = connect();
    ASSERT_EQ(blocking(*connection, 0).send(pattern_.at(0, 4096)), 4096U);
    std::thread reader(
        [&] { EXPECT_EQ(blocking(*connection, 0).wait(Direction::readable), WaitResult::ready); });
    std::thread writer(
        [&] { EXPECT_EQ(blocking(*connection, 0).wait(Direction::writable), WaitResult::ready); });
    await_sleeper(*connection, 0, Direction::readable);
    await_sleeper(*connection, 0, Direction::writable);
    connection->end(0).peer_vanished();
    reader.join();
    writer.join();
}

TEST_P(Waiting, more_waiters_than_slots_all_come_back) {
    const auto connection = connect();
    constexpr unsigned kReaders = 4 * kWaiterSlots;
    const auto far = backend().run([&] {
        await_sleeper(*connection, 0, Direction::readable);
        BlockingEnd end = blocking(*connection, 1);
        for (unsigned i = 0; i < kReaders; ++i) {
            ASSERT_EQ(end.send(pattern_.at(0, 1)), 1U);
            nap(i % 3 * 100'000);
        }
    });
    std::vector<std::thread> readers;
    for (unsigned i = 0; i < kReaders; ++i) {
        readers.emplace_back([&] {
            std::byte byte;
            EXPECT_EQ(blocking(*connection, 0).receive({&byte, 1}), 1U);
        });
    }
    for (std::thread& reader : readers) reader.join();
    for (const AtomicU64& slot : connection->end(0).page().readable_waiters)
        EXPECT_EQ(slot.load_relaxed(), 0U);
}

TEST_P(Waiting, several_writers_of_one_end_never_mix_their_bytes_within_a_call) {
    const auto connection = connect(4096, 64 << 10);
    constexpr std::size_t kWord = 512, kCalls = 200, kWriters = 3;
    const auto far = backend().run([&] {
        std::vector<std::thread> writers;
        for (unsigned w = 0; w < kWriters; ++w) {
            writers.emplace_back([&, w] {
                const std::vector<std::byte> bytes(kWord, static_cast<std::byte>(w + 1));
                BlockingEnd end = blocking(*connection, 1);
                for (std::size_t i = 0; i < kCalls; ++i) ASSERT_EQ(end.send(bytes), kWord);
            });
        }
        for (std::thread& writer : writers) writer.join();
        connection->end(1).shutdown_write();
    });
    BlockingEnd near = blocking(*connection, 0);
    std::byte bytes[kWord];
    std::size_t calls = 0;
    while (*near.receive_all(bytes) == kWord) {
        ++calls;
        for (const std::byte byte : bytes) ASSERT_EQ(byte, bytes[0]);
    }
    EXPECT_EQ(calls, kCalls * kWriters);
}

TEST_P(Waiting, kicks_without_a_reason_wake_nobody_for_good) {
    const auto connection = connect();
    const auto far = backend().run([&] {
        await_sleeper(*connection, 0, Direction::readable);
        for (int i = 0; i < 1'000; ++i) bells().kick_everybody(0);
        ASSERT_EQ(blocking(*connection, 1).send(pattern_.at(0, 1)), 1U);
    });
    std::byte byte;
    EXPECT_EQ(blocking(*connection, 0).receive({&byte, 1}), 1U);
}

TEST_P(Waiting, lost_kicks_cost_time_and_never_a_hang) {
    const auto connection = connect();
    bells().withhold_kicks();
    const auto far = backend().run([&] {
        await_sleeper(*connection, 0, Direction::readable);
        ASSERT_EQ(blocking(*connection, 1).send(pattern_.at(0, 1)), 1U);
    });
    std::byte byte;
    EXPECT_EQ(blocking(*connection, 0).receive({&byte, 1}), 1U);
}

TEST_P(Waiting, a_deadline_ends_the_wait) {
    const auto connection = connect();
    const std::uint64_t deadline_ns = deadline_after(5 * kNsPerMs);
    EXPECT_EQ(blocking(*connection, 0).wait(Direction::readable, deadline_ns), WaitResult::timed_out);
    EXPECT_GE(now_ns(), deadline_ns);
    EXPECT_EQ(blocking(*connection, 0).wait(Direction::readable, 0), WaitResult::timed_out);
}

TEST_P(Waiting, a_signal_interrupts_the_wait) {
    struct sigaction action {};
    action.sa_handler = [](int) {};
    struct sigaction before {};
    ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
    const auto connection = connect();
    std::thread waiter([&] {
        EXPECT_EQ(blocking(*connection, 0).wait(Direction::readable), WaitResult::interrupted);
        connection->end(1).shutdown_write();
    });
    while (!connection->end(0).is_ready(Direction::readable)) {
        ::pthread_kill(waiter.native_handle(), SIGUSR1);
        nap(1'000'000);
    }
    waiter.join();
    ::sigaction(SIGUSR1, &before, nullptr);
}

}  // namespace
}  // namespace xylem::conformance
