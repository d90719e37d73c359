// An agent at work: set up from its options, run until it is told to stop.
#pragma once

#include "control/agent/options.hpp"

namespace xylem::agent {

// Returns the exit code: 0, 1, or kExitTaken.
int run_daemon(const Options& options);

}  // namespace xylem::agent
