// Numbers in what commands print.
#include "control/cli/tune_metric.hpp"

#include <gtest/gtest.h>

#include "control/cli/command_output.hpp"

namespace xylem::cli {
namespace {

TEST(TuneMetric, numbers_may_have_units) {
    EXPECT_EQ(number_with_unit("42"), 42);
    EXPECT_EQ(number_with_unit("1.5e3"), 1500);
    EXPECT_EQ(number_with_unit("-2"), -2);
    EXPECT_EQ(number_with_unit("9.5 Gbits/sec"), 9.5e9);
    EXPECT_EQ(number_with_unit("12k"), 12'000);
    EXPECT_DOUBLE_EQ(number_with_unit("850us").value(), 850e-6);
    EXPECT_DOUBLE_EQ(number_with_unit("3 ms ").value(), 3e-3);
    EXPECT_EQ(number_with_unit("3s"), 3);
}

TEST(TuneMetric, anything_else_is_no_number) {
    for (const char* wrong : {"", "x", "1.2.3", "1,5", "5 requests", "inf", "nan", "1G2"}) {
        EXPECT_FALSE(number_with_unit(wrong)) << wrong;
    }
}

TEST(TuneMetric, an_expression_needs_a_group) {
    EXPECT_FALSE(TuneMetric::parse("Requests"));
    EXPECT_FALSE(TuneMetric::parse("Requests ([0-9]+"));
    EXPECT_TRUE(TuneMetric::parse("Requests ([0-9]+)"));
}

TEST(TuneMetric, the_first_group_is_found_anywhere_in_a_line) {
    const auto metric = TuneMetric::parse(R"(Requests.sec:\s+([0-9.]+))");
    ASSERT_TRUE(metric);
    EXPECT_EQ(metric->find_in("  Requests/sec:   54900.12 "), "54900.12");
    EXPECT_FALSE(metric->find_in("Transfer/sec: 5"));
    EXPECT_FALSE(TuneMetric::parse("a|(b)")->find_in("a")) << "the group took no part";
}

TEST(CommandOutput, lines_come_whole_however_they_were_written) {
    std::vector<std::string> lines;
    CommandOutput output([&](const std::string& line) { lines.push_back(line); });
    output.add("one\ntw");
    output.add("o\r\n\r10%\r20%");
    EXPECT_EQ(lines, (std::vector<std::string>{"one", "two", "10%"}));
    output.finish();
    EXPECT_EQ(lines.back(), "20%");
}

TEST(CommandOutput, little_is_kept_of_much) {
    CommandOutput output;
    for (int i = 0; i < 100; ++i) output.add(std::to_string(i) + "\n");
    output.add(std::string(3 * CommandOutput::kMaxLineBytes, 'x'));
    output.add("y\n");
    ASSERT_EQ(output.last_lines().size(), CommandOutput::kKeptLines);
    EXPECT_EQ(output.last_lines().front(), "91");
    EXPECT_EQ(output.last_lines().back(), std::string(CommandOutput::kMaxLineBytes, 'x'));
}

}  // namespace
}  // namespace xylem::cli
