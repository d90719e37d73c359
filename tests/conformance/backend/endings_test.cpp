// How connections end. The far end is scripted step by step; what the near end sees is what TCP would show.
#include "tests/conformance/backend/backend.hpp"
#include "tests/support/byte_pattern.hpp"

namespace xylem::conformance {
namespace {

using testing_support::Pattern;

class Endings : public BackendTest {
  protected:
    void SetUp() override {
        BackendTest::SetUp();
        connection_ = connect(4096, 8192);
    }
    Stream& near() { return connection_->end(0); }
    Stream& far() { return connection_->end(1); }

    // One call that never waits.
    Result<std::size_t> send(Stream& stream, std::size_t length) {
        const auto bytes = pattern_.at(0, length);
        const iovec vector{const_cast<std::byte*>(bytes.data()), length};
        IoCursor source(&vector, 1);
        return stream.send_some(source);
    }
    Result<std::size_t> receive(Stream& stream, std::size_t length, std::uint64_t skip_bytes = 0) {
        buffer_.resize(length);
        const iovec vector{buffer_.data(), length};
        IoCursor destination(&vector, 1);
        const ReceiveMode mode = skip_bytes > 0 ? ReceiveMode::peek : ReceiveMode::consume;
        return stream.receive_some(destination, mode, skip_bytes);
    }
    static void expect_error(const Result<std::size_t>& result, ErrorKind kind, int sys_errno) {
        ASSERT_FALSE(result.has_value()) << "got " << *result;
        EXPECT_EQ(result.error().kind, kind);
        EXPECT_EQ(result.error().sys_errno, sys_errno);
    }

    std::unique_ptr<Connection> connection_;
    Pattern pattern_{3};
    std::vector<std::byte> buffer_;
};
XYLEM_FOR_ALL_BACKENDS(Endings);

TEST_P(Endings, a_half_closed_stream_still_carries_data_the_other_way) {
    far().shutdown_write();
    EXPECT_EQ(receive(near(), 10), 0U);
    EXPECT_EQ(receive(near(), 10), 0U);
    ASSERT_EQ(send(near(), 100), 100U);
    EXPECT_EQ(receive(far(), 200), 100U);
    expect_error(send(far(), 1), ErrorKind::closed, EPIPE);
    near().shutdown_write();
    EXPECT_EQ(receive(far(), 10), 0U);
}

TEST_P(Endings, the_end_never_overtakes_data) {
    for (int round = 0; round < 300; ++round) {
        const auto connection = connect();
        const auto script = backend().run([&] {
            BlockingEnd end = blocking(*connection, 1);
            ASSERT_EQ(end.send(pattern_.at(0, 5000)), 5000U);
            connection->end(1).close(CloseMode::orderly);
        });
        BlockingEnd end = blocking(*connection, 0, round % 2 == 0 ? 0 : kDefaultSpinNs);
        std::byte bytes[6000];
        ASSERT_EQ(end.receive_all(bytes), 5000U) << "round " << round;
    }
}

// Many connections made in advance, so that both ends meet at the same moment, again and again.
TEST_P(Endings, the_end_never_overtakes_a_single_byte) {
    std::vector<std::unique_ptr<Connection>> connections(1'500);
    for (auto& connection : connections) connection = connect();
    const auto try_receive = [](Stream& stream) {
        std::byte byte;
        const iovec vector{&byte, 1};
        IoCursor destination(&vector, 1);
        return stream.receive_some(destination, ReceiveMode::consume);
    };
    const auto script = backend().run([&] {
        for (const auto& connection : connections) {
            while (!try_receive(connection->end(1)).has_value()) {
            }
            ASSERT_EQ(send(connection->end(1), 1), 1U);
            connection->end(1).shutdown_write();
        }
    });
    for (const auto& connection : connections) {
        ASSERT_EQ(send(connection->end(0), 1), 1U);
        Result<std::size_t> got = try_receive(connection->end(0));
        while (!got) got = try_receive(connection->end(0));
        ASSERT_EQ(*got, 1U);
    }
}

TEST_P(Endings, close_after_everything_was_read_is_an_end_of_stream) {
    ASSERT_EQ(send(far(), 100), 100U);
    far().close(CloseMode::orderly);
    EXPECT_EQ(receive(near(), 200), 100U);
    EXPECT_EQ(receive(near(), 200), 0U);
    EXPECT_FALSE(near().readiness().error);
    EXPECT_TRUE(near().readiness().read_hang_up);
}

TEST_P(Endings, the_first_send_to_a_closed_end_is_taken_and_the_next_fails_with_epipe) {
    far().close(CloseMode::orderly);
    EXPECT_EQ(receive(near(), 1), 0U);
    EXPECT_EQ(send(near(), 5000), 5000U);
    expect_error(send(near(), 1), ErrorKind::closed, EPIPE);
    expect_error(send(near(), 1), ErrorKind::closed, EPIPE);
    EXPECT_EQ(near().take_error(), 0);
}

// tcp.c: recv looks at SOCK_DONE before sk_err. The error stays for SO_ERROR.
TEST_P(Endings, after_a_fin_a_reader_sees_the_end_and_never_the_error_of_a_later_reset) {
    far().close(CloseMode::orderly);
    EXPECT_EQ(send(near(), 1), 1U);
    EXPECT_TRUE(near().readiness().error);
    EXPECT_TRUE(near().readiness().hang_up);
    EXPECT_EQ(receive(near(), 1), 0U);
    EXPECT_EQ(near().take_error(), EPIPE);
    EXPECT_EQ(near().take_error(), 0);
    EXPECT_FALSE(near().readiness().error);
    EXPECT_EQ(receive(near(), 1), 0U);
}

TEST_P(Endings, close_with_unread_data_lets_the_peer_read_what_is_queued_then_resets_it_once) {
    ASSERT_EQ(send(near(), 10), 10U);
    ASSERT_EQ(send(far(), 100), 100U);
    far().close(CloseMode::orderly);
    EXPECT_EQ(receive(near(), 60), 60U);
    EXPECT_EQ(receive(near(), 60), 40U);
    expect_error(receive(near(), 60), ErrorKind::reset, ECONNRESET);
    EXPECT_EQ(receive(near(), 60), 0U);
    expect_error(send(near(), 1), ErrorKind::closed, EPIPE);
}

TEST_P(Endings, a_sender_learns_of_a_reset_once_and_then_gets_epipe) {
    ASSERT_EQ(send(near(), 10), 10U);
    far().close(CloseMode::orderly);
    expect_error(send(near(), 1), ErrorKind::reset, ECONNRESET);
    expect_error(send(near(), 1), ErrorKind::closed, EPIPE);
    EXPECT_EQ(receive(near(), 1), 0U);
}

// The peer cannot know whether we looked between its shutdown and its close: TCP delivers the FIN first.
TEST_P(Endings, a_reset_right_after_a_fin_still_ends_the_stream_cleanly_for_the_reader) {
    ASSERT_EQ(send(near(), 10), 10U);
    ASSERT_EQ(send(far(), 100), 100U);
    far().shutdown_write();
    far().close(CloseMode::orderly);
    EXPECT_EQ(receive(near(), 200), 100U);
    EXPECT_EQ(receive(near(), 200), 0U);
    expect_error(send(near(), 1), ErrorKind::closed, EPIPE);
}

TEST_P(Endings, abort_resets_even_if_everything_was_read) {
    far().close(CloseMode::abort);
    EXPECT_TRUE(near().readiness().in);
    EXPECT_TRUE(near().readiness().out);
    expect_error(receive(near(), 1), ErrorKind::reset, ECONNRESET);
    EXPECT_EQ(receive(near(), 1), 0U);
}

TEST_P(Endings, close_is_the_same_when_the_agent_repeats_it) {
    far().close(CloseMode::orderly);
    far().close(CloseMode::abort);
    EXPECT_EQ(receive(near(), 1), 0U);
    EXPECT_EQ(near().take_error(), 0);
}

TEST_P(Endings, a_vanished_peer_that_had_read_everything_is_an_end_after_what_it_left_in_the_ring) {
    ASSERT_EQ(send(near(), 50), 50U);
    ASSERT_EQ(receive(far(), 50), 50U);
    ASSERT_EQ(send(far(), 100), 100U);
    near().peer_vanished();
    EXPECT_EQ(receive(near(), 200), 100U);
    EXPECT_EQ(receive(near(), 1), 0U);
    EXPECT_EQ(near().take_error(), 0);
    EXPECT_EQ(send(near(), 10), 10U) << "taken and lost, as after a close";
    expect_error(send(near(), 1), ErrorKind::closed, EPIPE);
}

TEST_P(Endings, a_vanished_peer_with_unread_data_is_a_reset_after_what_it_left_in_the_ring) {
    ASSERT_EQ(send(near(), 1), 1U);
    ASSERT_EQ(send(far(), 100), 100U);
    near().peer_vanished();
    EXPECT_EQ(receive(near(), 200), 100U);
    expect_error(receive(near(), 1), ErrorKind::reset, ECONNRESET);
    EXPECT_EQ(receive(near(), 1), 0U);
    expect_error(send(near(), 1), ErrorKind::closed, EPIPE);
}

TEST_P(Endings, a_peer_that_vanished_after_its_fin_is_an_end_of_stream) {
    ASSERT_EQ(send(far(), 100), 100U);
    far().shutdown_write();
    near().peer_vanished();
    EXPECT_EQ(receive(near(), 200), 100U);
    EXPECT_EQ(receive(near(), 1), 0U);
    EXPECT_EQ(send(near(), 10), 10U) << "taken and lost, as after a close";
    expect_error(send(near(), 1), ErrorKind::closed, EPIPE);
}

TEST_P(Endings, a_peer_that_vanished_after_its_fin_with_unread_data_refuses_more) {
    ASSERT_EQ(send(near(), 1), 1U);
    far().shutdown_write();
    near().peer_vanished();
    EXPECT_EQ(receive(near(), 1), 0U);
    expect_error(send(near(), 1), ErrorKind::closed, EPIPE);
}

TEST_P(Endings, a_peer_that_vanished_twice_is_as_one_that_vanished_once) {
    near().peer_vanished();
    near().peer_vanished();
    EXPECT_EQ(receive(near(), 1), 0U);
    EXPECT_EQ(near().take_error(), 0);
}

TEST_P(Endings, a_stream_shut_for_reading_gives_what_is_queued_then_the_end) {
    ASSERT_EQ(send(far(), 100), 100U);
    near().shutdown_read();
    EXPECT_EQ(receive(near(), 200), 100U);
    EXPECT_EQ(receive(near(), 200), 0U);
}

TEST_P(Endings, a_peek_behind_the_last_byte_sees_the_end_of_the_stream) {
    ASSERT_EQ(send(far(), 100), 100U);
    expect_error(receive(near(), 10, 100), ErrorKind::would_block, 0);
    far().shutdown_write();
    EXPECT_EQ(receive(near(), 10, 90), 10U);
    EXPECT_EQ(receive(near(), 10, 100), 0U);
}

TEST_P(Endings, a_low_water_mark_above_what_a_sleeping_writer_leaves_does_not_hide_data) {
    near().page().low_water_bytes.store_relaxed(1 << 20);
    ASSERT_EQ(send(far(), 4095), 4095U);
    EXPECT_FALSE(near().readiness().in);
    ASSERT_EQ(send(far(), 1), 1U);
    EXPECT_TRUE(near().readiness().in) << "half of the ring is all that a reader may wait for";
    near().page().low_water_bytes.store_relaxed(10);
    EXPECT_EQ(receive(near(), 4090), 4090U);
    EXPECT_FALSE(near().readiness().in);
    far().shutdown_write();
    EXPECT_TRUE(near().readiness().in);
}

}  // namespace
}  // namespace xylem::conformance
