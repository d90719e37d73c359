// What the bridge of this node counts (control/README.md).
#pragma once

#include <optional>

#include "control/cli/json_field.hpp"

namespace xylem::cli {

// Of the bridge in that fabric directory. Nothing: none runs there, or it does not answer within a second.
std::optional<Json> ask_bridge(const std::string& fabric_directory);

}  // namespace xylem::cli
