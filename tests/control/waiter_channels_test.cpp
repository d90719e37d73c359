// How event channels and flag pages are shared out among guests. No channel is made here: what a share does
// not allow is refused before the devices are asked.
#include "control/agent/xen/waiter_channels.hpp"

#include <gtest/gtest.h>

#include "control/agent/xen/kicker_channels.hpp"

namespace xylem::agent {
namespace {

constexpr DomainId kGreedy = 0x7FE0;  // no guest of a test machine
constexpr DomainId kOther = 0x7FE1;

class ChannelShares : public testing::Test {
  protected:
    void take_all(DomainId peer) {
        while (auto lease = shares_.take(peer)) leases_.push_back(std::move(*lease));
    }
    Quota channels_{768};
    PeerShares shares_{channels_};
    std::vector<PeerShares::Lease> leases_;
};

TEST_F(ChannelShares, one_guest_leaves_waiter_channels_to_others) {
    WaiterChannels waiters(shares_);
    take_all(kGreedy);
    const auto refused = waiters.make(kGreedy, false);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::exhausted);
    const auto other = waiters.make(kOther, false);
    EXPECT_TRUE(other || other.error().kind != ErrorKind::exhausted);
}

TEST_F(ChannelShares, channels_that_are_bound_count_with_those_that_are_waited_on) {
    KickerChannels kickers(shares_);
    take_all(kGreedy);
    const auto refused = kickers.bind(kGreedy, 1, 1, std::nullopt);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::exhausted);
    const auto other = kickers.bind(kOther, 1, 1, std::nullopt);
    EXPECT_TRUE(other || other.error().kind != ErrorKind::exhausted);
}

TEST_F(ChannelShares, a_channel_that_could_not_be_made_costs_nothing) {
    WaiterChannels waiters(shares_);
    for (int i = 0; i < 1'000; ++i) {
        const auto made = waiters.make(kOther, true);
        if (made) return;  // in a guest
        ASSERT_NE(made.error().kind, ErrorKind::exhausted);
    }
    EXPECT_EQ(channels_.used(), 0U);
    EXPECT_EQ(waiters.pages_of(kOther), 0U);
}

}  // namespace
}  // namespace xylem::agent
