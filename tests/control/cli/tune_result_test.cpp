// What is said about measurements that the test writes.
#include "control/cli/tune_result.hpp"

#include <gtest/gtest.h>

namespace xylem::cli {
namespace {

constexpr std::uint64_t kOneMiB = 1 << 20;
const TuneQuantity kWallTime;

TunePeer peer(const std::string& line, const std::string& place) {
    TunePeer made;
    made.address = "10.0.0.3";
    made.line = line;
    made.place = place;
    made.options = {std::nullopt, 50'000};
    return made;
}

std::vector<double> five(double value) { return std::vector<double>(5, value); }

TuneFindings findings() {
    TuneFindings found;
    found.now = {2 * kOneMiB, 50'000};
    found.peers = {peer("10.0.0.3 dom:3", "/etc/xylem/hosts:4")};
    found.rings = {{{}, five(3.1), {}}, {{kOneMiB, std::nullopt}, five(2.5), {}}};
    found.spins = {
        {{}, five(3.0), {}}, {{kOneMiB, std::nullopt}, five(2.4), {}}, {{kOneMiB, 0}, five(1.5), {}}};
    return found;
}

std::string text_of(const TuneFindings& found, const TuneQuantity& quantity = kWallTime) {
    return result_text(found, quantity, false);
}
bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

TEST(TuneResult, says_the_best_setting_its_gain_and_the_line_to_write) {
    const std::string text = text_of(findings());
    EXPECT_TRUE(has(text, "\nring=1M spin=0   2.00 times as fast as now (median 1.50 s, was 3.00 s)\n"))
        << text;
    EXPECT_TRUE(has(text, "hosts map:  10.0.0.3 dom:3 ring=1M spin=0    # in place of /etc/xylem/hosts:4\n"))
        << text;
    EXPECT_TRUE(has(text, "xylem run --ring-size 1M --spin 0 -- COMMAND")) << text;
}

TEST(TuneResult, what_is_built_in_becomes_a_line_of_a_file) {
    TuneFindings found = findings();
    found.peers[0].is_built_in = true;
    const std::string text = text_of(found);
    EXPECT_TRUE(has(text, "hosts map:  10.0.0.3 dom:3 ring=1M spin=0\n")) << text;
    EXPECT_TRUE(has(text, "takes the place of what is built in")) << text;
}

TEST(TuneResult, a_peer_without_a_line_has_the_options_of_run_alone) {
    TuneFindings found = findings();
    found.peers[0].line.clear();
    EXPECT_FALSE(has(text_of(found), "hosts map"));
    EXPECT_TRUE(has(text_of(found), "--ring-size 1M --spin 0"));
}

TEST(TuneResult, peers_of_one_line_get_it_once_and_keep_their_other_options) {
    TuneFindings found = findings();
    found.peers = {peer("10.0.0.0/24 node:b/dom:3 over=tcp", "h:1"),
                   peer("10.0.0.0/24 node:b/dom:3 over=tcp", "h:1")};
    EXPECT_EQ(hosts_advice(found, {kOneMiB, std::nullopt}).size(), 1U);
    EXPECT_EQ(hosts_advice(found, {kOneMiB, std::nullopt})[0].line,
              "10.0.0.0/24 node:b/dom:3 over=tcp ring=1M spin=50us");
}

TEST(TuneResult, keeps_what_is_now_where_nothing_is_clearly_better) {
    TuneFindings found = findings();
    found.spins.clear();
    found.rings[1].values = five(3.1);
    const std::string text = text_of(found);
    EXPECT_TRUE(has(text, "ring=2M spin=50us   kept: no other setting is better")) << text;
    EXPECT_FALSE(has(text, "hosts map"));
}

TEST(TuneResult, says_which_smaller_setting_does_as_well_as_the_best) {
    TuneFindings found = findings();
    found.spins[1].values = {1.4, 1.5, 1.6, 1.7, 1.8};
    const std::string text = text_of(found);
    EXPECT_TRUE(has(text, "\nring=1M spin=50us   1.88 times as fast")) << text;
    EXPECT_TRUE(has(text, "ring=1M spin=0 is not better than that by more than the spread")) << text;
}

TEST(TuneResult, half_a_part_decides_nothing) {
    TuneFindings found = findings();
    found.end = TuneEnd::interrupted;
    found.spins[2].values.pop_back();
    const std::string text = text_of(found);
    EXPECT_TRUE(has(text, "the measurement was interrupted\nring=1M spin=50us   1.24 times as fast")) << text;
    found.rings[1].values.pop_back();
    EXPECT_TRUE(has(text_of(found), "too little was measured"));
    EXPECT_FALSE(verdict_of(found, Better::lower).is_known);
}

TEST(TuneResult, a_setting_that_is_out_says_why_and_holds_up_nobody) {
    TuneFindings found = findings();
    found.spins[2].values.clear();
    found.spins[2].fault = "connections stayed on TCP: why";
    const std::string text = text_of(found);
    EXPECT_TRUE(has(text, "out: connections stayed on TCP: why")) << text;
    EXPECT_TRUE(has(text, "ring=1M spin=50us   1.25 times as fast")) << text;
}

TEST(TuneResult, metrics_are_told_as_they_are) {
    TuneFindings found = findings();
    found.spins[2].values = five(6000);
    const std::string text = text_of(found, {"x ([0-9]+)", Better::higher});
    EXPECT_TRUE(has(text, "2000.00 times as high as now (median 6000, was 3)")) << text;
    EXPECT_TRUE(
        has(text_of(findings(), {"x ([0-9]+)", Better::lower}), "lower than now by a factor of 2.00"));
}

TEST(TuneResult, json_has_every_value_and_the_same_verdict) {
    const Json json = result_json(findings(), kWallTime);
    EXPECT_EQ(json["end"], "complete");
    EXPECT_EQ(json["best"]["ring_size_bytes"], kOneMiB);
    EXPECT_EQ(json["best"]["spin_ns"], 0);
    EXPECT_EQ(json["gain"], 2.0);
    EXPECT_EQ(json["rings"][0]["values"].size(), 5U);
    EXPECT_EQ(json["hosts_lines"][0]["line"], "10.0.0.3 dom:3 ring=1M spin=0");
    EXPECT_EQ(result_json({}, kWallTime)["best"], nullptr);
}

TEST(TunePeer, a_line_of_the_file_loses_the_options_that_were_tuned_and_no_others) {
    const Json map{{"file", "/h"},
                   {"entries", {{{"line", 3}, {"text", "10.0.0.3 dom:3 spin=20us over=tcp"}}}}};
    const Json answer{{"target_domain", 3}, {"entry", {{"line", 3}, {"spin_ns", 20'000}}}};
    const Json health{{"ring_size_bytes", kOneMiB}, {"spin_ns", 50'000}};
    const TunePeer made = peer_of("10.0.0.3", answer, map, health);
    EXPECT_EQ(made.place, "/h:3");
    EXPECT_EQ(made.line, "10.0.0.3 dom:3 over=tcp");
    EXPECT_EQ(made.options, (TuneSetting{std::nullopt, 20'000}));
    EXPECT_EQ(made.now, (TuneSetting{kOneMiB, 20'000}));
    EXPECT_EQ(hosts_line(made, {std::nullopt, 0}), "10.0.0.3 dom:3 over=tcp spin=0");
}

}  // namespace
}  // namespace xylem::cli
