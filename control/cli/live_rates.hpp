// What happened between two looks at the connections of domains: rates, by connection and in all. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/cli/json_field.hpp"

namespace xylem::cli {

// In the order of the columns.
enum class LiveFigure : std::uint8_t {
    tx_bytes,
    rx_bytes,
    calls,
    kicks_sent,
    kicks_suppressed,
    sleeps,
    spins_won,
    spins_lost,
    ring_full
};
inline constexpr std::size_t kLiveFigures = 9;

struct LiveFigureNames {
    const char* json;   // with "_per_second"
    const char* title;  // of the column
};
inline constexpr std::array<LiveFigureNames, kLiveFigures> kLiveNames{{{"tx_bytes", "OUT/s"},
                                                                       {"rx_bytes", "IN/s"},
                                                                       {"calls", "CALLS/s"},
                                                                       {"kicks_sent", "KICKS/s"},
                                                                       {"kicks_suppressed", "SPARED/s"},
                                                                       {"sleeps", "SLEEPS/s"},
                                                                       {"spins_won", "WON/s"},
                                                                       {"spins_lost", "LOST/s"},
                                                                       {"ring_full", "FULL/s"}}};

using LiveRates = std::array<double, kLiveFigures>;  // a second; index: LiveFigure
inline double rate_of(const LiveRates& rates, LiveFigure figure) {
    return rates[static_cast<std::size_t>(figure)];
}

struct LiveRow {
    std::uint64_t domain = 0;
    std::string local;
    std::string peer;
    std::string transport;
    std::string program;             // iperf3[4711]
    std::optional<LiveRates> rates;  // none: nothing is counted of it, as on TCP
};

struct LiveView {
    double seconds = 0;  // between the two looks
    std::vector<LiveRow> rows;
    LiveRates totals{};     // with what connections did that began and ended in between
    std::size_t began = 0;  // connections
    std::size_t ended = 0;
};

// Each look is {"domains": [report, ...]}, of `sockets` reports with `data` and `uptime_seconds` of the
// `statistics` report in them, and with `asked_at_ns` and `summed_at_ns`, when each of the two came; where
// these are missing, seconds lie between the two looks. A connection that is there for the first time, or for
// another use, counts from its beginning; figures that go back are of a program that does not count well, and
// give 0. Where an agent has no report in the first look, but was there, nothing is known of that time: no
// rates, and none began. Where it has none in the second one, none ended.
LiveView live_view(const Json& before, const Json& now, double seconds);

// What rows can be sorted by, most first.
std::span<const std::string_view> live_sort_keys();
// Rows that are alike in it, and those without rates after them, stay in the order of the report.
void sort_rows(std::vector<LiveRow>& rows, std::string_view key);

}  // namespace xylem::cli
