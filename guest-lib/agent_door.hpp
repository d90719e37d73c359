// The way from this process to its agent.
#pragma once

#include <cstdint>

#include "vsock-transport/base/result.hpp"
#include "vsock-transport/base/unique_fd.hpp"

namespace xylem {

// Reads the environment; when the library is loaded.
void note_agents_place();

// Connects to the agent. One thread at a time, and no vfork child. Errors: system.
[[nodiscard]] Result<UniqueFd> dial_agent();
// The same without keeping anything; by anybody.
[[nodiscard]] Result<UniqueFd> dial_agent_once();

}  // namespace xylem
