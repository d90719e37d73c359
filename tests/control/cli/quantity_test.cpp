// Numbers that people read and type.
#include "control/cli/quantity.hpp"

#include <gtest/gtest.h>

namespace xylem::cli {
namespace {

TEST(Quantity, bytes_have_at_most_one_digit_after_the_point) {
    EXPECT_EQ(bytes_text(0), "0");
    EXPECT_EQ(bytes_text(1023), "1023");
    EXPECT_EQ(bytes_text(1024), "1K");
    EXPECT_EQ(bytes_text(1536), "1.5K");
    EXPECT_EQ(bytes_text(512ULL << 10), "512K");
    EXPECT_EQ(bytes_text(64ULL << 30), "64G");
}

TEST(Quantity, bytes_just_below_a_unit_become_one_of_the_next) {
    EXPECT_EQ(bytes_text((1ULL << 20) - 1), "1M");
    EXPECT_EQ(bytes_text(~0ULL), "16E");
}

TEST(Quantity, a_percentage_is_0_or_100_only_if_it_is_exactly_that) {
    EXPECT_EQ(percent_text(0, 1000), "0%");
    EXPECT_EQ(percent_text(1, 1000), "1%");
    EXPECT_EQ(percent_text(370, 1000), "37%");
    EXPECT_EQ(percent_text(999, 1000), "99%");
    EXPECT_EQ(percent_text(1000, 1000), "100%");
    EXPECT_EQ(percent_text(5, 0), "-");
}

TEST(Quantity, times_have_two_digits) {
    EXPECT_EQ(time_text(0), "0ns");
    EXPECT_EQ(time_text(999), "999ns");
    EXPECT_EQ(time_text(1280), "1.3us");
    EXPECT_EQ(time_text(9960), "10us");
    EXPECT_EQ(time_text(25'400), "25us");
    EXPECT_EQ(time_text(999'600), "1.0ms");
    EXPECT_EQ(time_text(7'500'000), "7.5ms");
    EXPECT_EQ(time_text(12'000'000'000), "12s");
    EXPECT_EQ(time_text(5'000'000'000'000), "5000s");
}

TEST(Quantity, durations_use_the_largest_unit_that_says_enough) {
    EXPECT_EQ(duration_text(119), "119 s");
    EXPECT_EQ(duration_text(180), "3 min");
    EXPECT_EQ(duration_text(7200), "2 h");
    EXPECT_EQ(duration_text(86400 * 3), "3 d");
}

TEST(Quantity, ring_sizes_are_those_of_the_hosts_map) {
    EXPECT_EQ(*parse_ring_size("512K"), 512U << 10);
    EXPECT_EQ(*parse_ring_size("64M"), 64U << 20);
    EXPECT_EQ(*parse_ring_size("4096"), 4096U);
    for (const char* wrong : {"", "K", "3K", "2K", "128M", "1m", "-4K", "4K "}) {
        EXPECT_FALSE(parse_ring_size(wrong)) << wrong;
    }
}

TEST(Quantity, a_spin_without_a_unit_is_microseconds) {
    EXPECT_EQ(*parse_spin("0"), 0U);
    EXPECT_EQ(*parse_spin("50"), 50'000U);
    EXPECT_EQ(*parse_spin("50us"), 50'000U);
    EXPECT_EQ(*parse_spin("10ms"), 10'000'000U);
    for (const char* wrong : {"", "10001", "11ms", "5s", "-1", "1.5"})
        EXPECT_FALSE(parse_spin(wrong)) << wrong;
}

TEST(Quantity, a_wrong_domain_is_named_with_where_it_came_from) {
    EXPECT_EQ(*parse_domain_id("65535", "--domain"), 65535U);
    auto wrong = parse_domain_id("65536", "XYLEM_DOMAIN");
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().exit_code, kUsage);
    EXPECT_EQ(wrong.error().wrong, "XYLEM_DOMAIN is '65536'; expected a domain id from 0 to 65535");
}

}  // namespace
}  // namespace xylem::cli
