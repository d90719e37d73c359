// Storms: what is one, and how many peers are kept account of.
#include "control/agent/storms.hpp"

#include <gtest/gtest.h>

namespace xylem::agent {
namespace {

Storms::Counts of(const Storms& storms, std::uint32_t peer) {
    Storms::Counts found;
    storms.for_each([&](std::uint32_t of, const Storms::Counts& counts) {
        if (of == peer) found = counts;
    });
    return found;
}

TEST(storms, of_any_length_are_one_each) {
    Storms storms;
    std::uint64_t now = kNsPerSecond;
    EXPECT_TRUE(storms.note(7, now));
    for (int i = 0; i < 1'000; ++i) EXPECT_FALSE(storms.note(7, now += Storms::kQuietNs / 2));
    EXPECT_TRUE(storms.note(7, now += 2 * Storms::kQuietNs));
    EXPECT_EQ(of(storms, 7).storms, 2U);
}

TEST(storms, of_two_peers_are_two) {
    Storms storms;
    EXPECT_TRUE(storms.note(7, 1));
    EXPECT_TRUE(storms.note(8, 1));
    storms.add_waits(8, 3);
    storms.add_waits(8, 2);
    EXPECT_EQ(of(storms, 7).waits, 0U);
    EXPECT_EQ(of(storms, 8).storms, 1U);
    EXPECT_EQ(of(storms, 8).waits, 5U);
}

TEST(storms, of_peers_without_end_take_no_memory_without_end) {
    Storms storms;
    for (std::uint32_t peer = 0; peer < 10'000; ++peer) storms.add_waits(peer, 1);
    std::size_t peers = 0;
    storms.for_each([&](std::uint32_t, const Storms::Counts&) { ++peers; });
    EXPECT_EQ(peers, Storms::kMostPeers);
    EXPECT_FALSE(storms.note(10'001, 1));
    EXPECT_TRUE(storms.note(3, 1));
}

}  // namespace
}  // namespace xylem::agent
