// How long somebody who causes work has to wait.
#include "vsock-transport/base/pace.hpp"

#include <gtest/gtest.h>

#include "vsock-transport/base/clock.hpp"

namespace xylem {
namespace {

constexpr std::uint64_t kStart = 1'000 * kNsPerSecond;

TEST(Pace, work_up_to_the_slack_waits_for_nothing) {
    Pace pace(2, 4 * kNsPerSecond);
    EXPECT_EQ(pace.rest_ns(kStart), 0U);
    pace.charge(kStart, 2 * kNsPerSecond);
    EXPECT_EQ(pace.rest_ns(kStart), 0U);
}

TEST(Pace, what_is_beyond_waits_until_it_is_paid) {
    Pace pace(2, 4 * kNsPerSecond);
    pace.charge(kStart, 3 * kNsPerSecond);
    EXPECT_EQ(pace.rest_ns(kStart), 2 * kNsPerSecond);
    EXPECT_EQ(pace.rest_ns(kStart + kNsPerSecond), kNsPerSecond);
    EXPECT_EQ(pace.rest_ns(kStart + 2 * kNsPerSecond), 0U);
}

TEST(Pace, in_the_long_run_it_is_the_part_that_was_set) {
    Pace pace(10, kNsPerSecond);
    std::uint64_t now = kStart;
    std::uint64_t worked = 0;
    while (now < kStart + 1'000 * kNsPerSecond) {
        now += pace.rest_ns(now);
        now += 7 * kNsPerMs;
        worked += 7 * kNsPerMs;
        pace.charge(now, 7 * kNsPerMs);
    }
    EXPECT_LE(worked, 101 * kNsPerSecond);
    EXPECT_GE(worked, 99 * kNsPerSecond);
}

TEST(Pace, who_rested_has_no_more_than_the_slack) {
    Pace pace(2, 4 * kNsPerSecond);
    pace.charge(kStart, kNsPerSecond);
    const std::uint64_t later = kStart + 10'000 * kNsPerSecond;
    pace.charge(later, 3 * kNsPerSecond);
    EXPECT_EQ(pace.rest_ns(later), 2 * kNsPerSecond);
}

}  // namespace
}  // namespace xylem
