// Ring sizes and spin times go through the hosts map's own parser, so that both places take the same words
// and say the same about wrong ones.
#include "control/cli/quantity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "hosts-map/options.hpp"
#include "hosts-map/place.hpp"
#include "hosts-map/word.hpp"

namespace xylem::cli {
namespace {

Outcome<HostsOptions> parse_option(std::string_view key, std::string_view value) {
    const std::string written = fmt::format("{}={}", key, value);
    const std::array<text::Word, 1> words{{{written, 1, 1}}};
    auto options = parse_options(words);
    if (!options)
        return misused(fmt::format("{}; expected {}", options.error().wrong, options.error().expected));
    return *options;
}

}  // namespace

std::string bytes_text(std::uint64_t bytes) {
    constexpr std::string_view kSuffixes = "KMGTPE";
    if (bytes < 1024) return fmt::format("{}", bytes);
    std::size_t unit = 0;
    auto value = static_cast<double>(bytes) / 1024;
    while (value >= 1023.95 && unit + 1 < kSuffixes.size()) {
        value /= 1024;
        ++unit;
    }
    std::string digits = fmt::format("{:.1f}", value);
    if (digits.ends_with(".0")) digits.resize(digits.size() - 2);
    return digits + kSuffixes[unit];
}

std::string percent_text(std::uint64_t part, std::uint64_t whole) {
    if (whole == 0) return "-";
    if (part == 0) return "0%";
    if (part >= whole) return "100%";
    const auto ratio = static_cast<double>(part) / static_cast<double>(whole);
    return fmt::format("{}%", std::clamp(std::lround(ratio * 100), 1L, 99L));
}

std::string time_text(std::uint64_t ns) {
    constexpr std::array kUnits{"ns", "us", "ms"};
    if (ns < 1000) return fmt::format("{}ns", ns);
    auto value = static_cast<double>(ns);
    std::size_t unit = 0;
    while (value >= 999.5 && unit < kUnits.size()) {
        value /= 1000;
        ++unit;
    }
    const char* name = unit < kUnits.size() ? kUnits[unit] : "s";
    return fmt::format("{:.{}f}{}", value, value < 9.95 ? 1 : 0, name);
}

std::string duration_text(std::uint64_t seconds) {
    if (seconds < 120) return fmt::format("{} s", seconds);
    if (seconds < 7200) return fmt::format("{} min", seconds / 60);
    if (seconds < 172800) return fmt::format("{} h", seconds / 3600);
    return fmt::format("{} d", seconds / 86400);
}

Outcome<std::uint64_t> parse_ring_size(std::string_view text) {
    auto options = parse_option("ring", text);
    if (!options) return tl::unexpected(options.error());
    return *options->ring_size_bytes;
}

Outcome<std::uint64_t> parse_spin(std::string_view text) {
    const bool is_bare = !text.empty() && text.find_first_not_of("0123456789") == text.npos && text != "0";
    auto options = parse_option("spin", is_bare ? std::string(text) + "us" : std::string(text));
    if (!options) return tl::unexpected(options.error());
    return *options->spin_ns;
}

Outcome<std::uint32_t> parse_domain_id(std::string_view text, std::string_view what) {
    auto domain = text::number(text, kMaxDomain);
    if (!domain) {
        return misused(fmt::format("{} is {}; expected a domain id from 0 to {}", what, text::in_quotes(text),
                                   kMaxDomain));
    }
    return static_cast<std::uint32_t>(*domain);
}

}  // namespace xylem::cli
