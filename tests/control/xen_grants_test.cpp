// How a guest's grants are shared out, without a guest.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <vector>

#include "control/agent/peer_shares.hpp"
#include "control/agent/seldom.hpp"
#include "control/agent/xen/grant_limit.hpp"
#include "control/agent/xen/grant_share.hpp"
#include "control/agent/xen/wake_up_cost.hpp"
#include "tests/support/scratch_directory.hpp"
#include "vsock-transport/wakeup/wait_policy.hpp"

namespace xylem::agent {
namespace {

constexpr SlabGeometry kWanted{{1 << 20, 1 << 20}};

std::vector<std::uint32_t> holders_of(const PeerShares& shares) {
    std::vector<std::uint32_t> holders;
    shares.for_each_peer([&](std::uint32_t peer) { holders.push_back(peer); });
    return holders;
}

TEST(grant_share, thousands_of_connections_find_room_and_the_first_ones_have_large_rings) {
    Quota grants(16'384);
    std::vector<Quota::Lease> leases;
    std::uint64_t last = kWanted.ring_size_bytes[0];
    for (;;) {
        const SlabGeometry fitted = fit_to_grants(kWanted, grants);
        ASSERT_TRUE(fitted.is_valid());
        EXPECT_LE(fitted.ring_size_bytes[0], last) << "never larger when less is left";
        if (leases.empty()) {
            EXPECT_GE(fitted.ring_size_bytes[0], 512U << 10);
        }
        last = fitted.ring_size_bytes[0];
        auto lease = grants.take(fitted.slab_bytes() / kPageBytes);
        if (!lease) break;
        leases.push_back(std::move(*lease));
    }
    EXPECT_EQ(last, kMinRingSizeBytes);
    EXPECT_GT(leases.size(), 4'096U);
}

TEST(grant_share, smaller_rings_than_the_share_are_left_alone) {
    const Quota grants(24'576);
    const SlabGeometry small{{8 << 10, 64 << 10}};
    const SlabGeometry fitted = fit_to_grants(small, grants);
    EXPECT_EQ(fitted.ring_size_bytes[0], small.ring_size_bytes[0]);
    EXPECT_EQ(fitted.ring_size_bytes[1], small.ring_size_bytes[1]);
}

TEST(grant_share, without_grants_the_smallest_is_asked_for) {
    const Quota none(0);
    EXPECT_EQ(fit_to_grants(kWanted, none).ring_size_bytes[1], kMinRingSizeBytes);
}

TEST(grant_share, one_peer_may_have_most_of_them) {
    Quota grants(17'000);
    PeerShares shares(grants);
    std::vector<PeerShares::Lease> leases;
    while (auto lease = shares.take(2, 10)) leases.push_back(std::move(*lease));
    EXPECT_EQ(shares.of(2), 13'600U);
    EXPECT_EQ(holders_of(shares), std::vector<std::uint32_t>{2});
    leases.clear();
    EXPECT_EQ(holders_of(shares), std::vector<std::uint32_t>{});
    EXPECT_EQ(shares.of(2), 0U);
    EXPECT_EQ(grants.used(), 0U);
}

TEST(grant_share, several_that_take_what_they_can_leave_something_to_the_next) {
    Quota grants(17'000);
    PeerShares shares(grants);
    std::vector<PeerShares::Lease> leases;
    for (std::uint32_t hoarder = 2; hoarder < 5; ++hoarder) {
        while (auto lease = shares.take(hoarder, 1)) leases.push_back(std::move(*lease));
    }
    while (auto lease = shares.take(6, 3)) leases.push_back(std::move(*lease));
    EXPECT_GE(shares.of(6), 17'000U / 5 / 5 / 5 / 2);
    EXPECT_FALSE(shares.take(7, 17'001));
}

TEST(grant_share, pages_of_others_leave_room_for_thousands_of_connections_and_half_of_what_xen_tracks) {
    EXPECT_GE(most_mapped_pages(), 3U * 4'096);
    EXPECT_LE(most_mapped_pages(), 262'144U / 2);
}

TEST(log_lines, of_one_peer_are_few_and_others_have_theirs) {
    SeldomOfEach may_log;
    unsigned lines = 0;
    for (int i = 0; i < 1'000; ++i) lines += may_log.may(7) ? 1 : 0;
    EXPECT_GE(lines, 20U);
    EXPECT_LE(lines, 22U);
    EXPECT_TRUE(may_log.may(8));
}

class GrantLimit : public testing::Test {
  protected:
    GrantLimit() { ::mkdir(scratch_.path("parameters").c_str(), 0755); }
    void write(std::uint64_t limit) { std::ofstream(scratch_.path("parameters/limit")) << limit << '\n'; }
    std::uint64_t raise() { return raise_grant_limit(scratch_.path("").c_str()); }
    std::uint64_t read() {
        std::uint64_t limit = 0;
        std::ifstream(scratch_.path("parameters/limit")) >> limit;
        return limit;
    }
    ScratchDirectory scratch_;
};

TEST_F(GrantLimit, without_the_module_there_is_none) { EXPECT_EQ(raise(), 0U); }

TEST_F(GrantLimit, the_default_is_raised_but_not_beyond_a_quarter_of_the_memory) {
    write(16);
    const std::uint64_t raised = raise();
    EXPECT_GT(raised, 16U);
    EXPECT_LE(raised, static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) / 4);
    EXPECT_EQ(read(), raised);
}

TEST_F(GrantLimit, what_somebody_has_raised_further_stays_but_is_not_used_beyond_the_grant_table) {
    write(1'000'000'000);
    EXPECT_EQ(raise(), 24'576U);
    EXPECT_EQ(read(), 1'000'000'000U);
}

TEST(wake_up_cost, spins_are_longer_where_wake_ups_are_but_bounded) {
    EXPECT_EQ(spin_for_wake_up(0), kDefaultSpinNs);
    EXPECT_EQ(spin_for_wake_up(5'000), kDefaultSpinNs);
    EXPECT_GT(spin_for_wake_up(100'000), 400'000U);
    EXPECT_LE(spin_for_wake_up(~0ULL), kMaxSpinNs);
}

}  // namespace
}  // namespace xylem::agent
