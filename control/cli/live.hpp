// `xylem stat --live`: what connections do, again and again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "control/cli/arguments.hpp"

namespace xylem::cli {

struct LiveOptions {
    std::uint64_t interval_seconds = 1;
    std::optional<std::uint64_t> count;  // of views; none: until it is ended
    std::string sort_key = "bytes";
    bool is_json = false;
};
// From --live, --count, --sort, --json and the word after --live. Errors: kUsage.
Outcome<LiveOptions> live_options(const Arguments& arguments);

// On a terminal a screen, elsewhere blocks of lines. Returns the exit code.
Outcome<int> run_live(const Arguments& arguments, const LiveOptions& options);

}  // namespace xylem::cli
