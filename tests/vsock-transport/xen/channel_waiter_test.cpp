// The waiter of an event channel against a peer that rings without end. A socket pair stands in for the
// device: what it reads are ports that rang, what it writes are ports to be unmasked.
#include "vsock-transport/xen/channel_waiter.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "tests/support/readable.hpp"

namespace xylem {
namespace {

class Channel : public testing::Test {
  protected:
    void SetUp() override {
        int pair[2] = {-1, -1};
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
        waiter_.open(UniqueFd(pair[0]));
        device_.reset(pair[1]);
    }
    void ring() {
        const std::uint32_t port = kPort;
        ASSERT_EQ(::send(device_.get(), &port, sizeof port, 0), static_cast<ssize_t>(sizeof port));
    }
    bool was_unmasked() {
        std::uint32_t port = 0;
        return ::recv(device_.get(), &port, sizeof port, 0) == sizeof port && port == kPort;
    }
    void ring_in_vain() {
        for (std::uint32_t i = 0; i < ChannelWaiter::kMostVain; ++i) {
            ring();
            ASSERT_FALSE(waiter_.drain());
            ASSERT_TRUE(was_unmasked()) << i;
        }
    }

    static constexpr std::uint32_t kPort = 17;
    ChannelWaiter waiter_;
    UniqueFd device_;
};

TEST_F(Channel, that_did_not_ring_is_left_alone) {
    waiter_.drain();
    EXPECT_FALSE(was_unmasked());
    EXPECT_EQ(waiter_.bound_ns(), kForever);
}

TEST_F(Channel, that_rang_is_taken_and_can_ring_again) {
    ring();
    EXPECT_TRUE(is_readable(waiter_.fd()));
    waiter_.drain();
    EXPECT_FALSE(is_readable(waiter_.fd()));
    EXPECT_TRUE(was_unmasked());
    EXPECT_EQ(waiter_.bound_ns(), kForever);
}

TEST_F(Channel, that_rings_on_and_on_stays_masked_for_a_while) {
    ring_in_vain();
    ring();
    EXPECT_TRUE(waiter_.drain());
    EXPECT_FALSE(was_unmasked());
    EXPECT_FALSE(is_readable(waiter_.fd()));
    EXPECT_LE(waiter_.bound_ns(), ChannelWaiter::kMaskedNs) << "a sleep ends by then";
    while (waiter_.bound_ns() != 0) {
    }
    waiter_.drain();
    EXPECT_TRUE(was_unmasked());
    EXPECT_EQ(waiter_.bound_ns(), kForever);
    ring();
    EXPECT_FALSE(waiter_.drain()) << "it is told once a wait";
    EXPECT_FALSE(was_unmasked()) << "and each ring of the same wait masks it again";
}

TEST_F(Channel, has_all_looks_again_in_the_next_wait) {
    ring_in_vain();
    waiter_.begin();
    ring_in_vain();
    ring();
    EXPECT_TRUE(waiter_.drain());
    EXPECT_FALSE(was_unmasked());
}

TEST_F(Channel, that_was_closed_is_nothing) {
    EXPECT_TRUE(waiter_);
    EXPECT_TRUE(waiter_.close());
    EXPECT_FALSE(waiter_);
    EXPECT_EQ(waiter_.fd(), -1);
    waiter_.drain();
}

}  // namespace
}  // namespace xylem
