// Rates out of two looks, which the tests write.
#include "control/cli/live_rates.hpp"

#include <gtest/gtest.h>

namespace xylem::cli {
namespace {

using enum LiveFigure;

Json connection(std::uint64_t end_id, std::uint64_t tx_bytes, std::uint64_t send_calls,
                std::uint64_t use = 0) {
    return {
        {"kind", "connection"},
        {"transport", "ring"},
        {"end_id", end_id},
        {"use", use},
        {"local", {{"family", "inet"}, {"port", end_id}, {"text", "127.44.0.1:" + std::to_string(end_id)}}},
        {"peer", {{"text", "127.44.0.2:80"}}},
        {"program", "p"},
        {"pid", 7},
        {"tx_bytes", tx_bytes},
        {"rx_bytes", 0},
        {"counters", {{"send_calls", send_calls}, {"receive_calls", 1}, {"kicks_sent", 2}}}};
}
Json on_tcp() {
    return {{"kind", "connection"},
            {"transport", "tcp"},
            {"cookie", 5},
            {"counters", nullptr},
            {"tx_bytes", nullptr}};
}
Json listener() { return {{"kind", "listener"}, {"transport", "ring"}, {"cookie", 6}}; }

Json look(std::vector<Json> sockets, const Json& sums = nullptr, const char* boot_id = "a") {
    Json report = {{"domain", 1}, {"boot_id", boot_id}, {"sockets", Json::array()}};
    for (Json& socket : sockets) report["sockets"].push_back(std::move(socket));
    if (sums.is_array()) report["data"] = sums;
    return {{"domains", {report}}};
}

// The sums of an agent, by peer.
Json data(std::uint64_t one, std::uint64_t two) {
    return {{{"domain", 2}, {"tx_bytes", one}, {"send_calls", 1}}, {{"domain", 3}, {"tx_bytes", two}}};
}

double first(const LiveView& view, LiveFigure figure) { return rate_of(*view.rows.at(0).rates, figure); }

TEST(LiveRates, are_differences_by_time) {
    const LiveView view = live_view(look({connection(1, 1000, 10)}), look({connection(1, 5000, 30)}), 2);
    ASSERT_EQ(view.rows.size(), 1U);
    EXPECT_EQ(first(view, tx_bytes), 2000);
    EXPECT_EQ(first(view, calls), 10);
    EXPECT_EQ(first(view, kicks_sent), 0);
    EXPECT_EQ(view.rows[0].local, "127.44.0.1:1");
    EXPECT_EQ(view.rows[0].program, "p[7]");
    EXPECT_EQ(view.began + view.ended, 0U);
}

TEST(LiveRates, the_time_between_two_reports_is_that_of_their_own_domain) {
    const auto report = [](std::uint64_t tx_bytes, std::uint64_t asked_at_ns, std::uint64_t summed_at_ns) {
        Json one = look({connection(1, tx_bytes, 10)}, data(tx_bytes, 0));
        one["domains"][0]["asked_at_ns"] = asked_at_ns;
        one["domains"][0]["summed_at_ns"] = summed_at_ns;
        return one;
    };
    const LiveView view =
        live_view(report(1000, 1'000'000'000, 1'000'000'000), report(5000, 3'000'000'000, 6'000'000'000), 9);
    EXPECT_EQ(first(view, tx_bytes), 2000);
    EXPECT_EQ(rate_of(view.totals, tx_bytes), 800);
}

TEST(LiveRates, what_began_in_between_counts_from_its_beginning) {
    const LiveView view = live_view(look({}), look({connection(1, 500, 4)}), 1);
    EXPECT_EQ(first(view, tx_bytes), 500);
    EXPECT_EQ(first(view, calls), 5);
    EXPECT_EQ(view.began, 1U);
}

TEST(LiveRates, what_ended_in_between_has_no_row_and_is_counted) {
    const LiveView view =
        live_view(look({connection(1, 1, 1), connection(2, 1, 1)}), look({connection(2, 1, 1)}), 1);
    EXPECT_EQ(view.rows.size(), 1U);
    EXPECT_EQ(view.ended, 1U);
}

TEST(LiveRates, another_use_of_a_connection_has_its_own_bytes_and_goes_on_counting_calls) {
    const LiveView view = live_view(look({connection(1, 9000, 10)}), look({connection(1, 300, 14, 1)}), 1);
    EXPECT_EQ(first(view, tx_bytes), 300);
    EXPECT_EQ(first(view, calls), 4);
    // Kept when the first look was taken: how much of its counters is of this use is not known.
    const LiveView again = live_view(look({}), look({connection(1, 300, 14, 1)}), 1);
    EXPECT_EQ(first(again, tx_bytes), 300);
    EXPECT_EQ(first(again, calls), 0);
}

TEST(LiveRates, figures_that_go_back_give_nothing) {
    const LiveView view = live_view(look({connection(1, 1000, 10)}), look({connection(1, 900, 9)}), 1);
    EXPECT_EQ(first(view, tx_bytes), 0);
    EXPECT_EQ(first(view, calls), 0);
    EXPECT_EQ(first(live_view(look({}), look({connection(1, 1, 1)}), 0), tx_bytes), 0);
}

TEST(LiveRates, sockets_without_counters_have_a_row_without_rates_and_listeners_have_none) {
    const LiveView view = live_view(look({on_tcp(), listener()}), look({on_tcp(), listener()}), 1);
    ASSERT_EQ(view.rows.size(), 1U);
    EXPECT_FALSE(view.rows[0].rates);
    EXPECT_EQ(view.rows[0].transport, "tcp");
    EXPECT_EQ(view.began + view.ended, 0U);
}

TEST(LiveRates, totals_are_those_of_the_agent_with_what_ended) {
    const LiveView view = live_view(look({connection(1, 1, 1)}, data(100, 50)), look({}, data(900, 250)), 2);
    EXPECT_EQ(rate_of(view.totals, tx_bytes), 500);
    EXPECT_EQ(rate_of(view.totals, calls), 0);
}

TEST(LiveRates, totals_of_an_agent_without_sums_are_those_of_the_rows) {
    const LiveView view = live_view(look({connection(1, 10, 1), connection(2, 10, 1)}),
                                    look({connection(1, 20, 1), connection(2, 40, 1)}), 1);
    EXPECT_EQ(rate_of(view.totals, tx_bytes), 40);
}

TEST(LiveRates, an_agent_that_was_started_again_begins_at_nothing) {
    const Json before = look({connection(1, 9000, 9)}, Json{{{"domain", 2}, {"tx_bytes", 9000}}}, "a");
    const Json now = look({connection(1, 500, 9)}, Json{{{"domain", 2}, {"tx_bytes", 500}}}, "b");
    const LiveView view = live_view(before, now, 1);
    EXPECT_EQ(first(view, tx_bytes), 500);
    EXPECT_EQ(rate_of(view.totals, tx_bytes), 500);
    EXPECT_EQ(view.began, 1U);
    EXPECT_EQ(view.ended, 1U);
}

TEST(LiveRates, an_agent_that_missed_the_look_before_has_no_rates_since_nobody_knows_when_bytes_moved) {
    const Json nobody{{"domains", Json::array()}};
    Json now = look({connection(1, 9000, 9)}, Json{{{"domain", 2}, {"tx_bytes", 9000}}});
    now["domains"][0]["uptime_seconds"] = 60;
    const LiveView view = live_view(nobody, now, 1);
    ASSERT_EQ(view.rows.size(), 1U);
    EXPECT_FALSE(view.rows[0].rates);
    EXPECT_EQ(rate_of(view.totals, tx_bytes), 0);
    EXPECT_EQ(view.began, 0U);
    const LiveView missed = live_view(now, nobody, 1);
    EXPECT_TRUE(missed.rows.empty());
    EXPECT_EQ(missed.ended, 0U) << "they go on, unseen";
    now["domains"][0].erase("uptime_seconds");
    EXPECT_FALSE(live_view(nobody, now, 1).rows.at(0).rates);
}

TEST(LiveRates, an_agent_that_began_since_the_look_before_counts_from_its_beginning) {
    Json now = look({connection(1, 500, 9)}, Json{{{"domain", 2}, {"tx_bytes", 800}}});
    now["domains"][0]["uptime_seconds"] = 1;
    const LiveView view = live_view(Json{{"domains", Json::array()}}, now, 1.999);
    EXPECT_DOUBLE_EQ(first(view, tx_bytes), 500 / 1.999);
    EXPECT_DOUBLE_EQ(rate_of(view.totals, tx_bytes), 800 / 1.999) << "with what has ended";
    EXPECT_EQ(view.began, 1U);
    EXPECT_FALSE(live_view(Json{{"domains", Json::array()}}, now, 1.001).rows.at(0).rates);
}

TEST(LiveRates, rows_are_sorted_most_first_and_those_without_rates_are_last) {
    LiveView view =
        live_view(look({connection(1, 0, 0), connection(2, 0, 0), on_tcp(), connection(3, 0, 0)}),
                  look({on_tcp(), connection(1, 10, 9), connection(2, 30, 1), connection(3, 10, 2)}), 1);
    const auto order = [&](const char* key) {
        sort_rows(view.rows, key);
        std::string ports;
        for (const LiveRow& row : view.rows) ports += row.local.substr(row.local.find(':') + 1);
        return ports;
    };
    EXPECT_EQ(order("bytes"), "213-");
    EXPECT_EQ(order("calls"), "132-");
    for (const std::string_view key : live_sort_keys()) {
        sort_rows(view.rows, key);
        EXPECT_FALSE(view.rows.back().rates) << key;
    }
}

TEST(LiveRates, reports_of_another_shape_are_no_accident) {
    for (const Json& odd : {Json(), Json::array(), Json{{"domains", 1}}, Json{{"domains", {1, "x"}}},
                            Json{{"domains", {{{"sockets", {1, nullptr}}}}}}}) {
        EXPECT_TRUE(live_view(odd, odd, 1).rows.empty());
    }
}

}  // namespace
}  // namespace xylem::cli
