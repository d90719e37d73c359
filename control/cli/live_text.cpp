// Text of a live view: the totals are the first row, so that they are in sight however many rows follow.
#include "control/cli/live_text.hpp"

#include <fmt/format.h>

#include <cmath>

#include "control/cli/quantity.hpp"
#include "control/cli/table.hpp"

namespace xylem::cli {
namespace {

std::string rate_text(const LiveRates& rates, std::size_t figure) {
    const bool is_bytes = figure <= static_cast<std::size_t>(LiveFigure::rx_bytes);
    if (!is_bytes) return count_text(rates[figure]);
    return bytes_text(static_cast<std::uint64_t>(std::llround(std::max(rates[figure], 0.0))));
}

std::vector<Cell> cells_of(const LiveRow& row, std::string domain) {
    std::vector<Cell> cells{std::move(domain), row.local, row.peer, row.transport};
    for (std::size_t i = 0; i < kLiveFigures; ++i)
        cells.emplace_back(row.rates ? rate_text(*row.rates, i) : std::string("-"));
    cells.emplace_back(row.program);
    return cells;
}

Table table_of(const LiveView& view) {
    std::vector<Column> columns{{"DOM", Align::right}, {"LOCAL"}, {"PEER"}, {"VIA"}};
    for (const LiveFigureNames& names : kLiveNames) columns.push_back({names.title, Align::right});
    columns.push_back({"PROGRAM"});
    Table table(std::move(columns));
    LiveRow totals;
    totals.local = "all rings";
    totals.rates = view.totals;
    table.add(cells_of(totals, ""));
    for (const LiveRow& row : view.rows) table.add(cells_of(row, fmt::format("{}", row.domain)));
    return table;
}

std::vector<std::string> split_lines(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        lines.emplace_back(text.substr(0, end));
        text = end == text.npos ? std::string_view() : text.substr(end + 1);
    }
    return lines;
}

std::string heading_text(const LiveView& view, const LiveHeading& heading) {
    std::string text = fmt::format("{} connections, {} began, {} ended in {:.1f} s; sorted by {}",
                                   view.rows.size(), view.began, view.ended, view.seconds, heading.sort_key);
    if (heading.takes_keys) text += "; s: next, q: quit";
    return heading.fault.empty() ? text : heading.fault + "; " + text;
}

Json json_of_rates(const LiveRates& rates) {
    Json json = Json::object();
    for (std::size_t i = 0; i < kLiveFigures; ++i)
        json[fmt::format("{}_per_second", kLiveNames[i].json)] = std::round(rates[i] * 1000) / 1000;
    return json;
}

}  // namespace

std::string count_text(double count) {
    constexpr std::string_view kSuffixes = " kMGT";
    std::size_t unit = 0;
    while (count >= 999.5 && unit + 1 < kSuffixes.size()) {
        count /= 1000;
        ++unit;
    }
    std::string digits = count < 99.95 ? fmt::format("{:.1f}", count) : fmt::format("{:.0f}", count);
    if (digits.ends_with(".0")) digits.resize(digits.size() - 2);
    if (digits == "0" && count > 0) digits = "0.1";  // seldom is not never
    return unit == 0 ? digits : digits + kSuffixes[unit];
}

std::vector<std::string> live_lines(const LiveView& view, const LiveHeading& heading, std::size_t columns,
                                    std::size_t lines) {
    std::vector<std::string> result{heading_text(view, heading)};
    const std::size_t most_columns = columns != 0 ? columns : Table::kAnyWidth;
    for (std::string& line : split_lines(table_of(view).text(false, most_columns)))
        result.push_back(std::move(line));
    if (lines != 0 && result.size() > lines) {
        const std::size_t left_out = result.size() - lines + 1;
        result.resize(lines);
        if (lines > 3) result.back() = fmt::format("and {} more", left_out);
    }
    for (std::string& line : result) line.resize(std::min(line.size(), most_columns));
    return result;
}

Json live_json(const LiveView& view) {
    Json connections = Json::array();
    for (const LiveRow& row : view.rows) {
        Json json = row.rates ? json_of_rates(*row.rates) : Json::object();
        json.update({{"domain", row.domain},
                     {"local", row.local},
                     {"peer", row.peer},
                     {"transport", row.transport},
                     {"program", row.program}});
        connections.push_back(std::move(json));
    }
    return {{"seconds", view.seconds},
            {"began", view.began},
            {"ended", view.ended},
            {"totals", json_of_rates(view.totals)},
            {"connections", std::move(connections)}};
}

}  // namespace xylem::cli
