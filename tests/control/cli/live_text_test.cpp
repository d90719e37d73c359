#include "control/cli/live_text.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace xylem::cli {
namespace {

LiveRow row(const std::string& local, std::optional<LiveRates> rates) {
    LiveRow result;
    result.domain = 1;
    result.local = local;
    result.peer = "127.44.0.2:80";
    result.transport = rates ? "ring" : "tcp";
    result.program = "p[7]";
    result.rates = rates;
    return result;
}

LiveView view_of(std::vector<LiveRow> rows) {
    LiveView view;
    view.seconds = 1;
    view.began = 2;
    view.ended = 1;
    view.rows = std::move(rows);
    view.totals = {1536, 0, 12, 0.5, 0, 0, 0, 0, 4200};
    return view;
}

TEST(LiveText, counts_use_the_suffix_that_says_enough) {
    EXPECT_EQ(count_text(0), "0");
    EXPECT_EQ(count_text(0.04), "0.1");
    EXPECT_EQ(count_text(0.5), "0.5");
    EXPECT_EQ(count_text(42), "42");
    EXPECT_EQ(count_text(999.4), "999");
    EXPECT_EQ(count_text(999.6), "1k");
    EXPECT_EQ(count_text(1540), "1.5k");
    EXPECT_EQ(count_text(123'456), "123k");
    EXPECT_EQ(count_text(2.5e9), "2.5G");
    EXPECT_EQ(count_text(9e15), "9000T");
}

TEST(LiveText, a_heading_and_totals_stand_above_the_rows) {
    const LiveRates rates{2048, 1, 2, 3, 4, 5, 6, 7, 8};
    const auto lines =
        live_lines(view_of({row("127.44.0.1:9", rates), row("10.0.0.1:8", {})}), {"bytes"}, 0, 0);
    ASSERT_EQ(lines.size(), 5U);
    EXPECT_EQ(lines[0], "2 connections, 2 began, 1 ended in 1.0 s; sorted by bytes");
    EXPECT_EQ(
        lines[1],
        "DOM  LOCAL         PEER           VIA   OUT/s  IN/s  CALLS/s  KICKS/s  SPARED/s  SLEEPS/s  WON/s"
        "  LOST/s  FULL/s  PROGRAM");
    EXPECT_EQ(
        lines[2],
        "     all rings                           1.5K     0       12      0.5         0         0      0"
        "       0    4.2k");
    EXPECT_EQ(
        lines[3],
        "  1  127.44.0.1:9  127.44.0.2:80  ring     2K     1        2        3         4         5      6"
        "       7       8  p[7]");
    EXPECT_EQ(lines[4].substr(0, 60), "  1  10.0.0.1:8    127.44.0.2:80  tcp       -     -        -");
}

TEST(LiveText, what_is_missing_is_told_first_in_the_heading) {
    const auto lines =
        live_lines(view_of({}), {"bytes", true, "the agent of domain 3 does not answer"}, 40, 9);
    EXPECT_EQ(lines[0], "the agent of domain 3 does not answer; 0");
}

TEST(LiveText, a_small_screen_gets_what_fits) {
    const LiveView view = view_of({row("a", {}), row("b", {}), row("c", {}), row("d", {})});
    const auto lines = live_lines(view, {"bytes", true}, 20, 5);
    ASSERT_EQ(lines.size(), 5U);
    EXPECT_EQ(lines[4], "and 3 more");
    for (const std::string& line : lines) EXPECT_LE(line.size(), 20U);
    EXPECT_EQ(live_lines(view, {"bytes", true}, 20, 7).back().substr(0, 6), "  1  d");
    EXPECT_EQ(live_lines(view, {"bytes", true}, 1, 1).size(), 1U);
}

TEST(LiveText, an_object_has_the_same_figures) {
    const LiveRates rates{2048, 0, 0.33333, 0, 0, 0, 0, 0, 8};
    const Json json = live_json(view_of({row("127.44.0.1:9", rates), row("10.0.0.1:8", {})}));
    EXPECT_EQ(json["began"], 2);
    EXPECT_EQ(json["totals"]["tx_bytes_per_second"], 1536);
    const Json& first = json["connections"][0];
    EXPECT_EQ(first["tx_bytes_per_second"], 2048);
    EXPECT_EQ(first["calls_per_second"], 0.333);
    EXPECT_EQ(first["ring_full_per_second"], 8);
    EXPECT_EQ(first["local"], "127.44.0.1:9");
    EXPECT_FALSE(json["connections"][1].contains("tx_bytes_per_second"));
}

}  // namespace
}  // namespace xylem::cli
