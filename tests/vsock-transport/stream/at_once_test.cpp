// The short way for messages: the same bytes, words and wake-ups as by the general one, or nothing at all.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/vsock-transport/stream/scripted_pair.hpp"

namespace xylem {
namespace {

using Bytes = std::vector<std::byte>;

class AtOnce : public ScriptedPair {
  protected:
    static Bytes message(std::size_t length) {
        Bytes bytes(length);
        for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<std::byte>(i * 7 + 1);
        return bytes;
    }
    bool send_at_once(std::size_t length) {
        const Bytes bytes = message(length);
        return near_.send_at_once(bytes.data(), bytes.size());
    }
    Bytes receive_at_once(std::size_t room) {
        Bytes bytes(room);
        bytes.resize(far_.receive_at_once(bytes.data(), room));
        return bytes;
    }
};

TEST_F(AtOnce, a_message_arrives_whole_and_wakes_who_waits) {
    show_waiter(far_, Direction::readable);
    ASSERT_TRUE(send_at_once(100));
    EXPECT_EQ(bells_[0].rung.size(), 1U);
    EXPECT_TRUE(far_.has_bytes());
    EXPECT_EQ(receive_at_once(200), message(100));
    EXPECT_FALSE(far_.has_bytes());
    EXPECT_EQ(near_.unsent_bytes(), 0U);
    EXPECT_EQ(near_.page().counters.send_calls.load_relaxed(), 1U);
    EXPECT_EQ(far_.page().counters.receive_calls.load_relaxed(), 1U);
}

TEST_F(AtOnce, mixes_with_the_general_way) {
    ASSERT_TRUE(send_at_once(100));
    ASSERT_EQ(send(near_, 50), 50U);
    ASSERT_TRUE(send_at_once(30));
    EXPECT_EQ(receive(far_, 60), 60U);
    EXPECT_EQ(receive_at_once(1'000).size(), 120U) << "all that is there, also what came since the last look";
}

TEST_F(AtOnce, gives_no_more_than_there_is_room_for) {
    ASSERT_TRUE(send_at_once(100));
    EXPECT_EQ(receive_at_once(40).size(), 40U);
    EXPECT_EQ(receive_at_once(40).size(), 40U);
    EXPECT_EQ(receive_at_once(40).size(), 20U);
    EXPECT_EQ(receive_at_once(40).size(), 0U);
}

TEST_F(AtOnce, what_does_not_fit_is_left_whole) {
    ASSERT_EQ(send(near_, kRing - 10), kRing - 10);
    EXPECT_FALSE(send_at_once(11));
    EXPECT_EQ(far_.readable_bytes(), kRing - 10);
    EXPECT_TRUE(send_at_once(10));
}

TEST_F(AtOnce, what_wraps_is_left_whole) {
    ASSERT_EQ(send(near_, kRing - 100), kRing - 100);
    ASSERT_EQ(receive(far_, kRing), kRing - 100);
    EXPECT_FALSE(send_at_once(101));
    ASSERT_EQ(send(near_, 101), 101U);
    EXPECT_EQ(receive_at_once(200).size(), 0U);
    EXPECT_EQ(far_.readable_bytes(), 101U);
    EXPECT_EQ(receive(far_, 200), 101U);
    EXPECT_TRUE(send_at_once(50)) << "and behind the wrap it goes on";
    EXPECT_EQ(receive_at_once(200), message(50));
}

TEST_F(AtOnce, a_writer_is_woken_once_half_of_the_ring_is_free) {
    ASSERT_EQ(send(near_, kRing), kRing);
    show_waiter(near_, Direction::writable);
    EXPECT_EQ(receive_at_once(kRing / 2 - 1).size(), kRing / 2 - 1);
    EXPECT_TRUE(bells_[1].rung.empty());
    EXPECT_EQ(receive_at_once(1).size(), 1U);
    EXPECT_EQ(bells_[1].rung.size(), 1U);
}

TEST_F(AtOnce, ends_and_errors_are_left_to_the_general_way) {
    near_.page().pending_error.store_relaxed(ECONNRESET);
    EXPECT_FALSE(send_at_once(1));
    near_.page().pending_error.store_relaxed(0);
    far_.shutdown_write();
    EXPECT_FALSE(send_at_once(1)) << "the far end has closed its direction";
    EXPECT_EQ(send(near_, 1), 1U);
    near_.shutdown_write();
    EXPECT_FALSE(send_at_once(1));
    EXPECT_EQ(receive_at_once(10).size(), 1U) << "what came before the end";
    EXPECT_EQ(receive_at_once(10).size(), 0U);
}

TEST_F(AtOnce, cursors_that_lie_move_nothing) {
    testing_support::block_of(slab_, 0).producer.head.store_relaxed(2 * kRing);
    EXPECT_EQ(receive_at_once(10).size(), 0U);
    EXPECT_EQ(receive(far_, 10).error().kind, ErrorKind::reset);
}

TEST_F(AtOnce, repairs_after_a_holder_that_died) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::pthread_mutex_lock(&near_.page().tx_lock);
        ::pthread_mutex_lock(&far_.page().rx_lock);
        near_.page().tx.head.store_release(100);
        ::kill(::getpid(), SIGKILL);
    }
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    ASSERT_TRUE(send_at_once(1));
    EXPECT_EQ(receive_at_once(200).size(), 101U);
}

TEST_F(AtOnce, a_signal_handler_over_a_send_can_shut_down_and_the_end_comes_after_the_bytes) {
    show_waiter(far_, Direction::readable);
    bells_[0].script = [&] {
        bells_[0].script = nullptr;
        EXPECT_FALSE(send_at_once(1));
        near_.shutdown_write();
        EXPECT_EQ(published_state(slab_, 0), 0U) << "the send is not over";
    };
    EXPECT_TRUE(send_at_once(100));
    EXPECT_EQ(published_state(slab_, 0), 1U);
    EXPECT_EQ(receive_at_once(200), message(100));
}

}  // namespace
}  // namespace xylem
