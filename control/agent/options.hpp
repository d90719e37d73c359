// The command line, the configuration file and the environment, in this order of precedence.
#pragma once

#include <optional>

#include "control/agent/settings.hpp"

namespace xylem::agent {

inline constexpr int kExitUsage = 2;
inline constexpr int kExitTaken = 3;

struct Options {
    Settings settings;
    std::string runtime_dir;  // empty: the usual one
    std::string fabric_dir;
};

// Nothing, and the exit code, where there is no agent to run: --help, --version, or a mistake (told on
// stderr).
std::optional<Options> read_options(int argc, const char* const* argv, int& exit_code);

}  // namespace xylem::agent
