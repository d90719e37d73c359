// What the programs of a run did with their sockets, in words.
#pragma once

#include <string>

#include "control/cli/json_field.hpp"

namespace xylem::cli {

// report: the agent's `run` report (control/README.md). A bypass may have `has_sockets`, where that was seen.
// Every line begins with "xylem: ".
std::string summary_text(const Json& report, bool colours);

}  // namespace xylem::cli
