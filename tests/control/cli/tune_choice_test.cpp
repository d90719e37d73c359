// Which setting is chosen from values that the test writes.
#include "control/cli/tune_choice.hpp"

#include <gtest/gtest.h>

namespace xylem::cli {
namespace {

Measured measured(std::optional<std::uint64_t> ring_size_bytes, std::vector<double> values) {
    return {{ring_size_bytes, std::nullopt}, std::move(values), {}};
}
std::vector<double> five(double value) { return std::vector<double>(5, value); }
Measured now(std::vector<double> values) { return measured(std::nullopt, std::move(values)); }

std::size_t chosen(const std::vector<Measured>& all, Better better = Better::lower) {
    return choose(all, better).chosen;
}

TEST(TuneChoice, a_spread_is_the_median_and_the_quartiles) {
    const Spread odd = spread_of({5, 1, 4, 2, 3});
    EXPECT_EQ(odd.low, 2);
    EXPECT_EQ(odd.median, 3);
    EXPECT_EQ(odd.high, 4);
    const Spread even = spread_of({4, 1, 3, 2});
    EXPECT_EQ(even.low, 1.75);
    EXPECT_EQ(even.median, 2.5);
    EXPECT_EQ(even.high, 3.25);
    EXPECT_EQ(spread_of({7}).width(), 0);
}

TEST(TuneChoice, a_gain_beyond_the_spreads_is_chosen) {
    const Measured present = now({3.0, 3.1, 3.1, 3.2, 3.3});
    EXPECT_EQ(chosen({present, measured(1, {2.0, 2.1, 2.1, 2.2, 2.3})}), 1U);
    EXPECT_EQ(chosen({present, measured(1, {4.0, 4.1, 4.1, 4.2, 4.3})}), 0U);
    EXPECT_EQ(chosen({present, measured(1, {4.0, 4.1, 4.1, 4.2, 4.3})}, Better::higher), 1U);
}

TEST(TuneChoice, a_gain_within_the_spreads_keeps_what_is_now) {
    EXPECT_EQ(chosen({now({2.0, 2.5, 3.0, 3.5, 4.0}), measured(1, {1.0, 1.2, 1.5, 1.8, 1.9})}), 0U);
}

TEST(TuneChoice, a_gain_that_is_sure_but_tiny_keeps_what_is_now) {
    EXPECT_EQ(chosen({now(five(1.000)), measured(1, five(0.995))}), 0U);
    EXPECT_EQ(chosen({now(five(0)), measured(1, five(0))}), 0U);
}

TEST(TuneChoice, a_run_of_now_that_is_far_off_changes_nothing) {
    EXPECT_EQ(chosen({now({3.0, 3.1, 3.1, 3.2, 30.0}), measured(1, {2.0, 2.1, 2.1, 2.2, 2.3})}), 1U);
}

TEST(TuneChoice, of_five_runs_each_is_better_than_each_of_now) {
    EXPECT_EQ(chosen({now({3.0, 3.1, 3.1, 3.2, 3.3}), measured(1, {2.0, 2.1, 2.1, 2.2, 3.05})}), 0U);
    EXPECT_EQ(chosen({now({2.2, 3.1, 3.1, 3.2, 3.3}), measured(1, {2.0, 2.1, 2.1, 2.15, 2.2})}), 0U);
    EXPECT_EQ(chosen({now({3, 3, 3, 3, 1}), measured(1, {4, 4, 4, 4, 2})}, Better::higher), 0U);
}

TEST(TuneChoice, of_more_runs_some_may_be_worse) {
    EXPECT_EQ(chosen({now({3.0, 3.1, 3.1, 3.2, 3.3, 3.0, 3.1, 3.1, 3.2, 3.3}),
                      measured(1, {2.0, 2.1, 2.1, 2.2, 2.3, 2.0, 2.1, 2.1, 2.2, 20.0})}),
              1U);
}

TEST(TuneChoice, of_settings_that_do_as_well_the_first_is_chosen) {
    const std::vector<Measured> all{now(five(3.0)), measured(1, five(2.9)),
                                    measured(2, {2.0, 2.1, 2.1, 2.1, 2.2}),
                                    measured(3, {1.9, 2.0, 2.0, 2.0, 2.1})};
    const Choice choice = choose(all, Better::lower);
    EXPECT_EQ(choice.chosen, 2U);
    EXPECT_EQ(choice.top, 3U);
}

TEST(TuneChoice, what_has_a_fault_or_too_few_values_is_not_chosen) {
    std::vector<Measured> all{now(five(3.0)), measured(1, five(1.0)), measured(2, {1.0, 1.0, 1.0, 1.0})};
    all[1].fault = "connections stayed on TCP";
    EXPECT_EQ(chosen(all), 0U);
    all[0].values.pop_back();
    all[1].fault.clear();
    EXPECT_EQ(chosen(all), 0U) << "nothing to compare with";
}

TEST(TuneChoice, nothing_measured_is_no_choice) { EXPECT_EQ(chosen({}), 0U); }

TEST(TuneChoice, a_gain_is_more_than_one_whichever_way_is_better) {
    EXPECT_EQ(gain_of(2, 3, Better::lower), 1.5);
    EXPECT_EQ(gain_of(3, 2, Better::higher), 1.5);
    EXPECT_EQ(gain_of(0, 2, Better::lower), 0);
    EXPECT_EQ(gain_of(2, -1, Better::higher), 0);
}

}  // namespace
}  // namespace xylem::cli
