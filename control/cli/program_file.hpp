// The file behind a command: where execvp(3) will find it.
#pragma once

#include <string>

#include "control/cli/failure.hpp"

namespace xylem::cli {

// As execvp: a name with a slash as it is, another one through PATH.
// Errors: kNotFound, kCannotExecute.
Outcome<std::string> find_program(const std::string& name);

}  // namespace xylem::cli
