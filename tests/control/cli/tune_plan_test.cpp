// What is to be measured, and how options say it.
#include "control/cli/tune_plan.hpp"

#include <gtest/gtest.h>

#include "control/cli/quantity.hpp"
#include "vsock-transport/base/clock.hpp"

namespace xylem::cli {
namespace {

constexpr std::uint64_t k64KiB = 64 << 10;
constexpr std::uint64_t k1MiB = 1 << 20;
constexpr std::uint64_t k2MiB = 2 << 20;
const TuneSetting kNow{k2MiB, 50'000};

std::string wrong_list(const std::string& text) {
    auto list = parse_list(text, "ring-sizes", parse_ring_size);
    return list ? "" : list.error().wrong;
}

TEST(TunePlan, a_list_is_sorted_and_has_each_value_once) {
    EXPECT_EQ(parse_list("1M,64K,1024K", "ring-sizes", parse_ring_size).value(),
              (std::vector<std::uint64_t>{k64KiB, k1MiB}));
    EXPECT_EQ(parse_list("50,0,1ms", "spins", parse_spin).value(),
              (std::vector<std::uint64_t>{0, 50'000, 1'000'000}));
    EXPECT_TRUE(parse_list("none", "spins", parse_spin).value().empty());
}

TEST(TunePlan, a_value_that_the_hosts_map_would_not_take_is_wrong_here_too) {
    EXPECT_NE(wrong_list("64K,3M").find("--ring-sizes: ring size '3M' is not a power of two"),
              std::string::npos)
        << wrong_list("64K,3M");
    EXPECT_NE(wrong_list("2K").find("too small"), std::string::npos);
    EXPECT_NE(wrong_list("128M").find("too large"), std::string::npos);
    EXPECT_NE(wrong_list("64K,,1M"), "");
    EXPECT_NE(wrong_list(""), "");
}

TEST(TunePlan, repetitions_and_time_limits_have_bounds) {
    EXPECT_EQ(parse_repetitions("5").value(), 5U);
    EXPECT_FALSE(parse_repetitions("4"));
    EXPECT_FALSE(parse_repetitions("1001"));
    EXPECT_FALSE(parse_repetitions("x"));
    EXPECT_EQ(parse_time_limit("90").value(), 90 * kNsPerSecond);
    EXPECT_EQ(parse_time_limit("90s").value(), 90 * kNsPerSecond);
    EXPECT_EQ(parse_time_limit("5min").value(), 300 * kNsPerSecond);
    EXPECT_EQ(parse_time_limit("2h").value(), 7200 * kNsPerSecond);
    for (const char* wrong : {"", "0", "5m", "-1", "169h", "1.5h"})
        EXPECT_FALSE(parse_time_limit(wrong)) << wrong;
}

TEST(TunePlan, what_is_now_comes_first_and_is_not_measured_twice) {
    const TunePlan plan{{k64KiB, k2MiB}, {0, 50'000}, 5};
    EXPECT_EQ(plan.ring_part(kNow), (std::vector<TuneSetting>{{}, {k64KiB, std::nullopt}}));
    EXPECT_EQ(plan.spin_part(std::nullopt, kNow), (std::vector<TuneSetting>{{}, {std::nullopt, 0}}));
    EXPECT_EQ(plan.ring_part({}).size(), 3U) << "nothing is known of now";
}

TEST(TunePlan, spins_are_measured_with_the_best_ring_size_beside_what_is_now) {
    const TunePlan plan{{k64KiB}, {0}, 5};
    EXPECT_EQ(plan.spin_part(k64KiB, kNow),
              (std::vector<TuneSetting>{{}, {k64KiB, std::nullopt}, {k64KiB, 0}}));
    EXPECT_EQ(plan.max_settings(kNow), 5U);
}

TEST(TunePlan, a_part_with_nothing_but_what_is_now_is_empty) {
    const TunePlan plan{{k2MiB}, {}, 5};
    EXPECT_TRUE(plan.ring_part(kNow).empty());
    EXPECT_TRUE(plan.spin_part(k64KiB, kNow).empty());
    EXPECT_EQ(plan.max_settings(kNow), 0U);
}

TEST(TunePlan, a_time_limit_costs_repetitions_down_to_the_least_that_can_decide) {
    const TunePlan plan{{k64KiB}, {0}, 10};
    EXPECT_EQ(plan.repetitions_within(1000 * kNsPerSecond, kNsPerSecond, 5), 10U);
    EXPECT_EQ(plan.repetitions_within(40 * kNsPerSecond, kNsPerSecond, 5), 7U);
    EXPECT_EQ(plan.repetitions_within(kNsPerSecond, kNsPerSecond, 5), kMinRepetitions);
    EXPECT_EQ(plan.repetitions_within(kNsPerSecond, 0, 0), 10U);
}

TEST(TunePlan, settings_are_named_in_the_words_of_the_hosts_map) {
    EXPECT_EQ(setting_text({}, kNow), "ring=2M spin=50us");
    EXPECT_EQ(setting_text({k64KiB, 0}, kNow), "ring=64K spin=0");
    EXPECT_EQ(setting_text({}, {}), "as now");
}

}  // namespace
}  // namespace xylem::cli
