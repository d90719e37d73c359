// What `xylem tune` measures, and in which order: ring sizes first, then spins with the best ring size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/cli/failure.hpp"

namespace xylem::cli {

// How the command is run. What is not set is as it is now: as the hosts map and the agent have it.
struct TuneSetting {
    std::optional<std::uint64_t> ring_size_bytes;
    std::optional<std::uint64_t> spin_ns;

    bool is_now() const { return !ring_size_bytes && !spin_ns; }
    bool operator==(const TuneSetting&) const = default;
};

// With what is not set from `now`: "ring=1M spin=50us", in the words of the hosts map.
std::string setting_text(const TuneSetting& setting, const TuneSetting& now);

inline constexpr unsigned kMinRepetitions = 5;  // of fewer, chance puts all in order too often
inline constexpr unsigned kMaxRepetitions = 1000;

struct TunePlan {
    std::vector<std::uint64_t> ring_sizes_bytes;  // ascending, each once
    std::vector<std::uint64_t> spins_ns;          // likewise
    unsigned repetitions = 5;

    // The settings of each part: the one that is now, then the others in order of preference. A part without
    // others is empty. now: as far as it is known; what it names is not measured twice.
    std::vector<TuneSetting> ring_part(const TuneSetting& now) const;
    std::vector<TuneSetting> spin_part(std::optional<std::uint64_t> ring_size_bytes,
                                       const TuneSetting& now) const;
    // Settings of both parts, at most.
    std::size_t max_settings(const TuneSetting& now) const;
    // As many repetitions as the plan has, or as fit into the time, but at least kMinRepetitions.
    unsigned repetitions_within(std::uint64_t time_ns, std::uint64_t run_ns, std::size_t settings) const;
};

// Values with commas between, or `none` for an empty list; `option` names it in errors.
Outcome<std::vector<std::uint64_t>> parse_list(const std::string& text, const char* option,
                                               Outcome<std::uint64_t> (*parse)(std::string_view));
// kMinRepetitions to kMaxRepetitions.
Outcome<unsigned> parse_repetitions(const std::string& text);
// Seconds, or a number with s, min or h. Returns nanoseconds, more than 0.
Outcome<std::uint64_t> parse_time_limit(const std::string& text);

}  // namespace xylem::cli
