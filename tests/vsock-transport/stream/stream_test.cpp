// One end and its locks: holders that die, signals over a call, others that close meanwhile.
#include "vsock-transport/stream/stream.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "tests/vsock-transport/stream/scripted_pair.hpp"
#include "vsock-transport/stream/robust_lock.hpp"

namespace xylem {
namespace {

void nap(std::uint64_t ns) {
    const timespec time = to_timespec(ns);
    ::nanosleep(&time, nullptr);
}

// Runs script in a child that is killed afterwards, with whatever it holds.
template <class Script>
void in_a_process_that_dies(Script script) {
    const pid_t child = ::fork();
    if (child == 0) {
        script();
        ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
}

class StreamTest : public ScriptedPair {
  protected:
    void start_cursors_at(Cursor start) {
        for (Stream* end : {&near_, &far_}) {
            EndPage& page = end->page();
            for (AtomicU64* word : {&page.tx.head, &page.tx.peer_tail, &page.rx.tail, &page.rx.peer_head}) {
                word->store_relaxed(start);
            }
        }
        for (unsigned side = 0; side < 2; ++side) {
            testing_support::block_of(slab_, side).producer.head.store_relaxed(start);
            testing_support::block_of(slab_, side).consumer.tail.store_relaxed(start);
        }
    }
};

TEST_F(StreamTest, works_across_the_wrap_of_its_cursors) {
    start_cursors_at(~Cursor{0} - 3 * kRing / 2);
    EXPECT_FALSE(near_.is_ready(Direction::readable));
    for (int i = 0; i < 10; ++i) {
        ASSERT_EQ(send(far_, 1'000), 1'000U);
        EXPECT_EQ(near_.readable_bytes(), 1'000U);
        EXPECT_EQ(far_.unsent_bytes(), 1'000U);
        ASSERT_EQ(receive(near_, 2'000), 1'000U);
        ASSERT_EQ(send(near_, kRing + 5), kRing);
        EXPECT_FALSE(near_.is_ready(Direction::writable));
        ASSERT_EQ(receive(far_, 2 * kRing), kRing);
        EXPECT_TRUE(near_.is_ready(Direction::writable));
    }
}

TEST_F(StreamTest, goes_on_after_a_holder_died_with_both_locks) {
    in_a_process_that_dies([&] {
        EndPage& page = near_.page();
        ::pthread_mutex_lock(&page.tx_lock);
        ::pthread_mutex_lock(&page.rx_lock);
    });
    EXPECT_EQ(send(near_, 10), 10U);
    EXPECT_EQ(send(far_, 10), 10U);
    EXPECT_EQ(receive(near_, 20), 10U);
    EXPECT_EQ(receive(far_, 20), 10U);
}

TEST_F(StreamTest, publishes_what_a_dead_sender_had_copied_but_not_yet_shown) {
    in_a_process_that_dies([&] {
        ::pthread_mutex_lock(&near_.page().tx_lock);
        near_.page().tx.head.store_release(100);
    });
    EXPECT_EQ(far_.readable_bytes(), 0U);
    EXPECT_EQ(send(near_, 1), 1U);
    EXPECT_EQ(far_.readable_bytes(), 101U);
}

TEST_F(StreamTest, repairs_even_if_the_next_sender_finds_the_ring_full) {
    in_a_process_that_dies([&] {
        ::pthread_mutex_lock(&near_.page().tx_lock);
        near_.page().tx.head.store_release(kRing);
    });
    EXPECT_EQ(send(near_, 1).error().kind, ErrorKind::would_block);
    EXPECT_EQ(far_.readable_bytes(), kRing);
}

TEST_F(StreamTest, gives_back_what_a_dead_receiver_had_taken_but_not_yet_shown) {
    ASSERT_EQ(send(far_, kRing), kRing);
    ASSERT_EQ(receive(near_, 1), 1U);
    in_a_process_that_dies([&] {
        ::pthread_mutex_lock(&near_.page().rx_lock);
        near_.page().rx.tail.store_release(1'001);
    });
    EXPECT_EQ(far_.unsent_bytes(), kRing - 1);
    EXPECT_EQ(receive(near_, 1), 1U);
    EXPECT_EQ(far_.unsent_bytes(), kRing - 1'002);
}

TEST_F(StreamTest, shutdown_and_close_by_the_agent_finish_for_a_dead_holder) {
    in_a_process_that_dies([&] {
        ::pthread_mutex_lock(&near_.page().tx_lock);
        ::pthread_mutex_lock(&near_.page().rx_lock);
        near_.page().tx.head.store_release(100);
        near_.page().status.fetch_or(kWriteShut);
    });
    near_.close(CloseMode::orderly);
    EXPECT_EQ(receive(far_, 200), 100U) << "what was sent comes before the end";
    EXPECT_EQ(receive(far_, 200), 0U);
}

TEST_F(StreamTest, a_signal_handler_over_a_send_can_shut_down_and_the_end_comes_after_the_bytes) {
    show_waiter(far_, Direction::readable);
    bells_[0].script = [&] {
        bells_[0].script = nullptr;
        EXPECT_EQ(send(near_, 1).error().sys_errno, EINTR);
        near_.shutdown_write();
        EXPECT_EQ(published_state(slab_, 0), 0U) << "the send is not over";
    };
    EXPECT_EQ(send(near_, 100), 100U);
    EXPECT_EQ(published_state(slab_, 0), 1U);
    EXPECT_EQ(receive(far_, 200), 100U);
    EXPECT_EQ(receive(far_, 200), 0U);
    EXPECT_EQ(send(near_, 1).error().sys_errno, EPIPE);
}

TEST_F(StreamTest, close_waits_for_a_sender_so_that_nothing_follows_the_end) {
    show_waiter(far_, Direction::readable);
    std::thread closer;
    bells_[0].script = [&] {
        bells_[0].script = nullptr;
        closer = std::thread([&] { near_.close(CloseMode::orderly); });
        while ((near_.page().status.load_acquire() & kClosed) == 0) std::this_thread::yield();
        nap(2 * kNsPerMs);
        EXPECT_EQ(published_state(slab_, 0), 0U) << "the sender still holds the lock";
    };
    EXPECT_EQ(send(near_, 100), 100U);
    closer.join();
    EXPECT_EQ(receive(far_, 200), 100U);
    EXPECT_EQ(receive(far_, 200), 0U);
    EXPECT_FALSE(send(near_, 1).has_value());
}

TEST_F(StreamTest, close_comes_back_though_somebody_keeps_the_locks) {
    std::thread keeper([&] {
        ::pthread_mutex_lock(&near_.page().tx_lock);
        ::pthread_mutex_lock(&near_.page().rx_lock);
        while (published_state(slab_, 0) == 0) nap(kNsPerMs);
        ::pthread_mutex_unlock(&near_.page().rx_lock);
        ::pthread_mutex_unlock(&near_.page().tx_lock);
    });
    nap(5 * kNsPerMs);
    near_.close(CloseMode::orderly);
    keeper.join();
    EXPECT_EQ(receive(far_, 1), 0U);
}

// Whoever meets the reset first takes the error; the other must never take it for a clean end before.
TEST_F(StreamTest, a_reset_that_two_threads_meet_is_reported_exactly_once) {
    constexpr std::uint32_t kRounds = 2'000;
    std::vector<Stream> streams;
    for (std::uint32_t i = 0; i < kRounds; ++i) {
        const testing_support::StreamMemory memory({{kRing, kRing}}, 0);
        memory.open(1, bells_[1]).close(CloseMode::abort);
        streams.push_back(memory.open(0, bells_[0]));
    }
    AtomicU32 round[2];
    std::vector<AtomicU32> sender_resets(kRounds);
    const auto meet = [&](unsigned me, std::uint32_t i) {
        round[me].store_release(i + 1);
        while (round[1 - me].load_acquire() < i + 1) {
        }
    };
    const auto is_reset = [](const Result<std::size_t>& result) {
        return !result && result.error().sys_errno == ECONNRESET;
    };
    std::thread sender([&] {
        for (std::uint32_t i = 0; i < kRounds; ++i) {
            meet(0, 2 * i);
            sender_resets[i].store_release(is_reset(send(streams[i], 1)) ? 1 : 0);
            meet(0, 2 * i + 1);
        }
    });
    for (std::uint32_t i = 0; i < kRounds; ++i) {
        meet(1, 2 * i);
        const bool is_mine = is_reset(receive(streams[i], 1));
        meet(1, 2 * i + 1);
        EXPECT_EQ((is_mine ? 1 : 0) + sender_resets[i].load_acquire(), 1U) << "round " << i;
    }
    sender.join();
}

TEST_F(StreamTest, a_lie_that_one_thread_finds_wakes_the_sleepers_of_both_directions) {
    show_waiter(near_, Direction::readable);
    show_waiter(near_, Direction::writable);
    testing_support::block_of(slab_, 1).producer.head.store_release(kRing + 1);
    EXPECT_EQ(receive(near_, 1).error().sys_errno, ECONNRESET);
    unsigned own = 0;
    for (const auto& [domain, token] : bells_[0].rung) own += domain == 1 ? 1 : 0;
    EXPECT_EQ(own, 2U);
}

TEST_F(StreamTest, kicks_the_domain_in_which_the_waiter_lives) {
    show_waiter(far_, Direction::readable);
    ASSERT_EQ(send(near_, 1), 1U);
    ASSERT_EQ(bells_[0].rung.size(), 1U);
    EXPECT_EQ(bells_[0].rung[0].first, 2U) << "the peer's domain";
    show_waiter(near_, Direction::readable);
    near_.shutdown_read();
    ASSERT_EQ(bells_[0].rung.size(), 2U);
    EXPECT_EQ(bells_[0].rung[1].first, 1U) << "the own domain";
}

TEST_F(StreamTest, a_published_state_only_grows) {
    far_.close(CloseMode::abort);
    far_.shutdown_write();
    EXPECT_EQ(published_state(slab_, 1), static_cast<std::uint32_t>(TxState::reset));
}

// What edge-triggered readiness rests on: whatever the peer does is seen, what the own program takes is not.
TEST_F(StreamTest, state_is_what_came_and_not_what_was_taken) {
    StreamState last = near_.state();
    const auto has_moved = [&] { return std::exchange(last, near_.state()) != last; };
    EXPECT_FALSE(has_moved());
    ASSERT_EQ(send(far_, 10), 10U);
    EXPECT_TRUE(has_moved());
    ASSERT_EQ(receive(near_, 100), 10U);
    EXPECT_FALSE(has_moved());
    ASSERT_EQ(send(near_, 10), 10U);
    EXPECT_FALSE(has_moved());
    ASSERT_EQ(receive(far_, 100), 10U);
    EXPECT_TRUE(has_moved());
    near_.page().low_water_bytes.store_relaxed(5);
    EXPECT_TRUE(has_moved());
    far_.shutdown_write();
    EXPECT_TRUE(has_moved());
    near_.readiness();  // takes note of the end
    EXPECT_TRUE(has_moved());
    near_.readiness();
    EXPECT_FALSE(has_moved());
    far_.close(CloseMode::abort);
    EXPECT_TRUE(has_moved());
}

TEST_F(StreamTest, calls_of_no_length_do_nothing) {
    EXPECT_EQ(send(near_, 0), 0U);
    EXPECT_EQ(receive(near_, 0), 0U);
    EXPECT_FALSE(far_.is_ready(Direction::readable));
}

TEST(robust_guard, says_how_it_got_the_lock) {
    pthread_mutex_t lock;
    RobustGuard::initialise(lock);
    {
        const RobustGuard guard(lock);
        EXPECT_EQ(guard.state(), RobustGuard::State::locked);
        EXPECT_EQ(RobustGuard(lock).state(), RobustGuard::State::reentered);
        std::thread([&] {
            const RobustGuard late(lock, kNsPerMs);
            EXPECT_EQ(late.state(), RobustGuard::State::busy);
            EXPECT_FALSE(late.is_held());
        }).join();
    }
    EXPECT_TRUE(RobustGuard(lock, 0).is_held());
    std::thread([&] { ::pthread_mutex_lock(&lock); }).join();
    EXPECT_EQ(RobustGuard(lock).state(), RobustGuard::State::repaired);
    EXPECT_EQ(RobustGuard(lock).state(), RobustGuard::State::locked) << "repaired for good";
    std::thread([&] { ::pthread_mutex_lock(&lock); }).join();
    EXPECT_EQ(RobustGuard(lock, kNsPerMs).state(), RobustGuard::State::repaired);
}

}  // namespace
}  // namespace xylem
