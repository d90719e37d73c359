// TuneMetric: std::regex reports by exception; none leaves this file. It recurses for each character, so
// lines are cut before they come here (command_output.hpp).
#include "control/cli/tune_metric.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "control/cli/terminal.hpp"
#include "hosts-map/word.hpp"

namespace xylem::cli {
namespace {

double factor_of(std::string_view unit) {
    if (unit.empty() || unit == "s") return 1;
    if (unit == "ns") return 1e-9;
    if (unit == "us") return 1e-6;
    if (unit == "ms") return 1e-3;
    if (unit.find_first_of("0123456789.") != unit.npos) return 0;
    switch (unit[0]) {
        case 'k':
        case 'K':
            return 1e3;
        case 'M':
            return 1e6;
        case 'G':
            return 1e9;
        case 'T':
            return 1e12;
        default:
            return 0;
    }
}

}  // namespace

std::optional<double> number_with_unit(std::string_view text) {
    double number = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || !std::isfinite(number)) return std::nullopt;
    std::string_view unit(rest, static_cast<std::size_t>(end - rest));
    while (unit.starts_with(' ')) unit.remove_prefix(1);
    while (unit.ends_with(' ')) unit.remove_suffix(1);
    const double factor = factor_of(unit);
    if (factor == 0) return std::nullopt;
    return number * factor;
}

Outcome<TuneMetric> TuneMetric::parse(const std::string& expression) {
    try {
        std::regex regex(expression, std::regex::ECMAScript | std::regex::optimize);
        if (regex.mark_count() == 0) {
            return misused(fmt::format("--metric: {} has no group", text::in_quotes(expression)),
                           "put the number into parentheses, as in 'Requests.sec:\\s+([0-9.]+)'");
        }
        return TuneMetric(expression, std::move(regex));
    } catch (const std::regex_error& error) {
        return misused(fmt::format("--metric: {} is no regular expression: {}", text::in_quotes(expression),
                                   error.what()));
    }
}

std::optional<std::string> TuneMetric::find_in(const std::string& line) const {
    try {
        std::smatch match;
        if (!std::regex_search(line, match, regex_) || !match[1].matched) return std::nullopt;
        return match[1].str();
    } catch (const std::regex_error&) {
        return std::nullopt;  // too hard for this line
    }
}

}  // namespace xylem::cli
