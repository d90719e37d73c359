// TunePlan: a coordinate search. The part for spins measures the setting of now as well, so that the gain
// that is told in the end is one between runs of the same minutes.
#include "control/cli/tune_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "control/cli/terminal.hpp"
#include "hosts-map/options.hpp"
#include "hosts-map/word.hpp"
#include "vsock-transport/base/clock.hpp"

namespace xylem::cli {
namespace {

constexpr std::uint64_t kMaxLimitSeconds = 7 * 24 * 3600;

// Room for the runs that take longer than the first.
constexpr double kShareOfLimit = 0.9;

std::vector<std::string> parts_of(const std::string& text) {
    std::vector<std::string> parts;
    std::size_t from = 0;
    for (std::size_t comma = 0; comma != text.npos; from = comma + 1) {
        comma = text.find(',', from);
        parts.push_back(text.substr(from, comma == text.npos ? comma : comma - from));
    }
    return parts;
}

}  // namespace

std::string setting_text(const TuneSetting& setting, const TuneSetting& now) {
    HostsOptions options;
    options.ring_size_bytes = setting.ring_size_bytes ? setting.ring_size_bytes : now.ring_size_bytes;
    options.spin_ns = setting.spin_ns ? setting.spin_ns : now.spin_ns;
    const std::string text = to_string(options);
    return text.empty() ? "as now" : text.substr(1);
}

std::vector<TuneSetting> TunePlan::ring_part(const TuneSetting& now) const {
    std::vector<TuneSetting> settings{{}};
    for (const std::uint64_t size : ring_sizes_bytes) {
        if (size != now.ring_size_bytes) settings.push_back({size, std::nullopt});
    }
    if (settings.size() == 1) settings.clear();
    return settings;
}

std::vector<TuneSetting> TunePlan::spin_part(std::optional<std::uint64_t> ring_size_bytes,
                                             const TuneSetting& now) const {
    std::vector<TuneSetting> settings{{}};
    if (ring_size_bytes) settings.push_back({ring_size_bytes, std::nullopt});
    const std::size_t without = settings.size();
    for (const std::uint64_t spin : spins_ns) {
        if (spin != now.spin_ns) settings.push_back({ring_size_bytes, spin});
    }
    if (settings.size() == without) settings.clear();
    return settings;
}

std::size_t TunePlan::max_settings(const TuneSetting& now) const {
    const std::size_t rings = ring_part(now).size();
    const std::optional<std::uint64_t> other_ring =
        rings != 0 ? std::optional(ring_sizes_bytes.front()) : std::nullopt;
    return rings + spin_part(other_ring, now).size();
}

unsigned TunePlan::repetitions_within(std::uint64_t time_ns, std::uint64_t run_ns,
                                      std::size_t settings) const {
    const double round_ns = static_cast<double>(std::max<std::uint64_t>(run_ns, 1)) *
                            static_cast<double>(std::max<std::size_t>(settings, 1));
    const double rounds = static_cast<double>(time_ns) * kShareOfLimit / round_ns;
    if (rounds >= repetitions) return repetitions;
    return std::max(static_cast<unsigned>(rounds), std::min(kMinRepetitions, repetitions));
}

Outcome<std::vector<std::uint64_t>> parse_list(const std::string& text, const char* option,
                                               Outcome<std::uint64_t> (*parse)(std::string_view)) {
    std::vector<std::uint64_t> values;
    if (text == "none") return values;
    for (const std::string& part : parts_of(text)) {
        auto value = parse(part);
        if (!value) return misused(fmt::format("--{}: {}", option, value.error().wrong));
        values.push_back(*value);
    }
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return values;
}

Outcome<unsigned> parse_repetitions(const std::string& text) {
    const auto number = text::number(text, kMaxRepetitions);
    if (!number || *number < kMinRepetitions) {
        return misused(fmt::format("--repetitions is {}; expected a number from {} to {}",
                                   text::in_quotes(text), kMinRepetitions, kMaxRepetitions));
    }
    return static_cast<unsigned>(*number);
}

Outcome<std::uint64_t> parse_time_limit(const std::string& text) {
    const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
    const std::string unit = text.substr(end);
    const std::uint64_t factor = unit.empty() || unit == "s" ? 1
                                 : unit == "min"             ? 60
                                 : unit == "h"               ? 3600
                                                             : 0;
    const auto number = text::number(text.substr(0, end), kMaxLimitSeconds);
    if (factor == 0 || !number || *number == 0 || *number * factor > kMaxLimitSeconds) {
        return misused(
            fmt::format("--time-limit is {}; expected seconds, or a number with s, min or h, at most 168h",
                        text::in_quotes(text)));
    }
    return *number * factor * kNsPerSecond;
}

}  // namespace xylem::cli
