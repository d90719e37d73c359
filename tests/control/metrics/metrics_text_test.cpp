#include "control/agent/metrics/metrics_text.hpp"

#include <gtest/gtest.h>
#include <prometheus/check_names.h>

#include <set>

#include "control/agent/metrics/metric_families.hpp"
#include "control/protocol/reason.hpp"

namespace xylem::agent {
namespace {

using Json = nlohmann::json;

Json data_row(const Json& domain, std::uint64_t tx_bytes) {
    const Json bounds = {{{"below_ns", 256}, {"count", tx_bytes / 2}},
                         {{"below_ns", 1024}, {"count", tx_bytes}}};
    const Json replies = {{"count", tx_bytes + 1}, {"sum_ns", 2'000'000'000}, {"bounds", bounds}};
    return {{"domain", domain}, {"tx_bytes", tx_bytes}, {"kicks_sent", 7}, {"replies", replies}};
}

Json report() {
    return {{"domain", 3},
            {"uptime_seconds", 12},
            {"counters", {{"connects_ring", 4}, {"tx_bytes", 5}}},
            {"connections", {{"ring", 6}, {"tcp", {{"not_mapped", 2}}}}},
            {"connects_failed", {{"no_listener", 8}}},
            {"quotas",
             {{{"name", "memory"}, {"used", 4096}, {"limit", 8192}, {"unit", "bytes"}, {"counts", "slabs"}},
              {{"name", "grants"}, {"used", 1}, {"limit", 2}, {"unit", "pages"}, {"counts", "g"}}}},
            {"peers", {{{"domain", 2}, {"ends", 1}, {"limit", 16}, {"storms", 3}}}},
            {"data", {data_row(2, 1000)}},
            {"pool", {{"hits", 1}, {"misses", 2}}},
            {"links", {{{"direction", "out"}, {"state", "ready"}}}}};
}

// The text has that line.
bool has(const std::string& text, const std::string& line) {
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST(MetricsText, each_part_of_the_report_has_its_lines) {
    const std::string text = MetricsText().text_of(report());
    for (const char* line : {"# TYPE xylem_connects_ring_total counter",
                             "# HELP xylem_connects_ring_total Connects of programs that got a ring",
                             "xylem_connects_ring_total 4",
                             "xylem_tx_bytes_total 5",
                             "xylem_queries_total 0",
                             R"(xylem_agent_info{domain="3",version="0.1.0"} 1)",
                             "# TYPE xylem_agent_uptime_seconds gauge",
                             "xylem_agent_uptime_seconds 12",
                             R"(xylem_connections_total{transport="ring",reason="ring"} 6)",
                             R"(xylem_connections_total{transport="tcp",reason="not_mapped"} 2)",
                             R"(xylem_connections_total{transport="tcp",reason="no_agent"} 0)",
                             R"(xylem_connects_failed_total{reason="no_listener"} 8)",
                             R"(xylem_connects_refused_total{reason="no_listener"} 0)",
                             "xylem_memory_used_bytes 4096",
                             "xylem_memory_limit_bytes 8192",
                             "xylem_grants_pages_used 1",
                             R"(xylem_peer_ends{peer_domain="2"} 1)",
                             R"(xylem_peer_storms_total{peer_domain="2"} 3)",
                             R"(xylem_connection_tx_bytes_total{peer_domain="2"} 1000)",
                             R"(xylem_connection_kicks_sent_total{peer_domain="2"} 7)",
                             R"(xylem_connection_ring_full_total{peer_domain="2"} 0)",
                             R"(xylem_pool_takes_total{result="miss"} 2)",
                             R"(xylem_links{direction="out",state="ready"} 1)",
                             R"(xylem_links{direction="in",state="waiting"} 0)"})
        EXPECT_TRUE(has(text, line)) << line << "\nin:\n" << text;
}

TEST(MetricsText, names_follow_the_conventions_and_no_row_is_there_twice) {
    std::set<std::string> names;
    for (const auto& family : metric_families(report())) {
        EXPECT_TRUE(prometheus::CheckMetricName(family.name)) << family.name;
        EXPECT_TRUE(names.insert(family.name).second) << family.name << " is there twice";
        EXPECT_EQ(family.name.find("xylem_"), 0U);
        EXPECT_FALSE(family.help.empty()) << family.name;
        const bool is_counter = family.type == prometheus::MetricType::Counter;
        EXPECT_EQ(is_counter, family.name.ends_with("_total")) << family.name;
        std::set<std::vector<prometheus::ClientMetric::Label>> rows;
        for (const auto& metric : family.metric) EXPECT_TRUE(rows.insert(metric.label).second) << family.name;
    }
}

TEST(MetricsText, a_counter_never_goes_back_and_a_gauge_does) {
    MetricsText metrics;
    (void)metrics.text_of(report());
    Json less = report();
    less["data"] = {data_row(2, 999), data_row(9, 1)};
    less["uptime_seconds"] = 1;
    const std::string text = metrics.text_of(less);
    EXPECT_TRUE(has(text, R"(xylem_connection_tx_bytes_total{peer_domain="2"} 1000)"));
    EXPECT_TRUE(has(text, R"(xylem_connection_tx_bytes_total{peer_domain="9"} 1)"));
    EXPECT_TRUE(has(text, "xylem_agent_uptime_seconds 1"));
}

TEST(MetricsText, a_histogram_has_its_buckets_and_never_goes_back) {
    MetricsText metrics;
    const auto check = [&](const Json& figures) {
        const std::string text = metrics.text_of(figures);
        EXPECT_TRUE(has(text, R"(xylem_reply_seconds_count{peer_domain="2"} 1001)")) << text;
        EXPECT_TRUE(has(text, R"(xylem_reply_seconds_sum{peer_domain="2"} 2)"));
        EXPECT_TRUE(has(text, R"(xylem_reply_seconds_bucket{peer_domain="2",le="1.024e-06"} 1000)"));
        EXPECT_TRUE(has(text, R"(xylem_reply_seconds_bucket{peer_domain="2",le="+Inf"} 1001)"));
    };
    check(report());
    Json less = report();
    less["data"] = {data_row(2, 4)};
    check(less);
}

TEST(MetricsText, peers_beyond_the_bound_have_no_rows_and_the_rest_of_them_has_one) {
    Json many = report();
    many["peers"] = many["data"] = Json::array();
    for (std::uint32_t domain = 1; domain <= kMostPeerRows + 50; ++domain)
        many["peers"].push_back({{"domain", domain}, {"ends", 1}});
    for (std::uint32_t domain = 1; domain <= kMostPeerRows; ++domain)
        many["data"].push_back(data_row(domain, 1));
    many["data"].push_back(data_row(nullptr, 5));
    for (const auto& family : metric_families(many)) EXPECT_LE(family.metric.size(), kMostPeerRows + 1);
    EXPECT_TRUE(
        has(MetricsText().text_of(many), R"(xylem_connection_tx_bytes_total{peer_domain="other"} 5)"));
}

TEST(MetricsText, a_report_without_anything_gives_zeros) {
    const std::string text = MetricsText().text_of(Json::object());
    EXPECT_TRUE(has(text, "xylem_connects_ring_total 0"));
    EXPECT_TRUE(has(text, R"(xylem_connections_total{transport="ring",reason="ring"} 0)"));
}

}  // namespace
}  // namespace xylem::agent
