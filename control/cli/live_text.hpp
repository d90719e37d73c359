// A live view as text: lines for people, or an object for programs. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "control/cli/live_rates.hpp"

namespace xylem::cli {

// 0, 0.3, 42, 1.5k, 12M: powers of 1000, at most one digit after the point.
std::string count_text(double count);

struct LiveHeading {
    std::string_view sort_key;
    bool takes_keys = false;
    std::string fault = {};  // what is missing in the view, and why; may be empty
};
// A heading, the titles, the totals, and a row each; no line is longer than columns, and there are at most
// `lines` of them: the last then counts what was left out. 0: as much as there is.
std::vector<std::string> live_lines(const LiveView& view, const LiveHeading& heading, std::size_t columns,
                                    std::size_t lines);

// {"seconds", "began", "ended", "totals": {"tx_bytes_per_second", ...}, "connections": [...]}
Json live_json(const LiveView& view);

}  // namespace xylem::cli
