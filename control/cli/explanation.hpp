// An `explain` answer in words.
#pragma once

#include <string>

#include "control/cli/json_field.hpp"

namespace xylem::cli {

// answer: the agent's report (control/README.md) with `file` and `from_file` as in its map report, and
// `agent`, whether one answered. Several lines, one a question: hosts map, domain, agent, listener, policy,
// transport, to do.
std::string explanation_text(const Json& answer, bool colours);

}  // namespace xylem::cli
