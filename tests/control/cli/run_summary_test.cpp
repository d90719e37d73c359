// A run's sums in words. The report is JSON that the test writes.
#include "control/cli/run_summary.hpp"

#include <gtest/gtest.h>

namespace xylem::cli {
namespace {

Json report() {
    return {{"sessions", 2},
            {"ring", {{"made", 1}, {"accepted", 2}, {"tx_bytes", 3'000'000}, {"rx_bytes", 1}}},
            {"tcp", Json::array()},
            {"bypasses", Json::array()}};
}
Json on_tcp(const std::string& peer, int connections) {
    return {{"peer", peer}, {"connections", connections}, {"reason", "not_mapped"}, {"reason_text", "why"}};
}

TEST(RunSummary, exact_bytes_stand_beside_round_ones) {
    EXPECT_EQ(
        summary_text(report(), false),
        "xylem: over rings: 3 connections (1 made, 2 accepted): 3000000 bytes (2.9M) sent, 1 byte received\n"
        "xylem: on TCP: no connection\n");
}

TEST(RunSummary, each_reason_comes_with_what_to_do_as_explain_says_it) {
    Json on_tcp_too = report();
    on_tcp_too["tcp"].push_back(on_tcp("10.0.0.1:80", 7));
    const std::string text = summary_text(on_tcp_too, false);
    EXPECT_NE(
        text.find(
            "xylem: on TCP: 7 connections\n"
            "xylem:        7  10.0.0.1:80  not_mapped: why; add a line for the address to the hosts map"),
        std::string::npos)
        << text;
}

TEST(RunSummary, a_long_list_is_cut_and_what_is_cut_is_counted) {
    Json many = report();
    for (int i = 0; i < 11; ++i) many["tcp"].push_back(on_tcp("10.0.0.1:" + std::to_string(i), 20 - i));
    EXPECT_EQ(summary_text(many, false).find(" more\n"), std::string::npos)
        << "a line for a line saves nothing";
    many["tcp"].push_back(on_tcp("10.0.0.1:99", 5));
    const std::string text = summary_text(many, false);
    EXPECT_NE(text.find("xylem:       15  and 2 more\n"), std::string::npos) << text;
    EXPECT_EQ(text.find("10.0.0.1:99"), std::string::npos);
}

TEST(RunSummary, a_name_that_is_not_known_stands_for_others) {
    Json others = report();
    others["tcp"].push_back(on_tcp("", 3));
    others["tcp"][0]["peer"] = nullptr;
    EXPECT_NE(summary_text(others, false).find("        3  others  not_mapped: "), std::string::npos);
}

TEST(RunSummary, programs_past_the_library_say_whether_they_have_sockets) {
    Json past = report();
    past["bypasses"].push_back(
        {{"program", "/bin/x"}, {"times", 1}, {"reason", "static_program"}, {"reason_text", "why"}});
    EXPECT_NE(summary_text(past, false)
                  .find("xylem: past the library: 1 program\n"
                        "xylem:        1  /bin/x  static_program: why; link the program"),
              std::string::npos);
    past["bypasses"][0]["has_sockets"] = true;
    EXPECT_NE(summary_text(past, false).find(": why; it has TCP sockets; link"), std::string::npos);
}

TEST(RunSummary, a_run_without_any_session_says_so) {
    Json empty = report();
    empty["sessions"] = 0;
    empty["ring"] = {{"made", 0}, {"accepted", 0}};
    EXPECT_EQ(summary_text(empty, false),
              "xylem: over rings: no connection\nxylem: on TCP: no connection\n"
              "xylem: no program used a TCP socket through the library\n");
    EXPECT_NE(summary_text(Json(), false), "") << "an agent that says nothing at all";
}

}  // namespace
}  // namespace xylem::cli
