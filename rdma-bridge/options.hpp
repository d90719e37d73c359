// The command line of xylem-rdma.
#pragma once

#include <optional>

#include "rdma-bridge/bridge.hpp"

namespace xylem::bridge {

inline constexpr int kExitUsage = 2;

// Nothing: exit_code says how to leave, and the user has been told why.
std::optional<Settings> read_options(int argc, const char* const* argv, int& exit_code);

}  // namespace xylem::bridge
