// Makes sure that a domain has an agent, for `xylem run`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "control/cli/failure.hpp"

namespace xylem::cli {

struct AgentWish {
    std::uint32_t domain = 0;
    std::optional<std::string> hosts_file;   // absolute; an agent that uses another one is an error
    std::optional<std::string> policy_file;  // likewise
    std::optional<std::string> log_file;     // of an agent that is started here; none: dom-N/agent.log
};

// Returns when an agent answers: one that runs already, or a new one. Safe for any number of callers at once.
// Errors: kUsage where one runs with other files; kNoAgent where none can be started (with its last words).
Outcome<void> ensure_agent(const AgentWish& wish);

}  // namespace xylem::cli
