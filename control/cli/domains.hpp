// Which domain a verb is about, and which domains there are on this machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/cli/failure.hpp"

namespace xylem::cli {

// XYLEM_DOMAIN, else that of the agent that was not told any, else that of the Xen guest, else 1. Errors:
// XYLEM_DOMAIN is not a domain id.
Outcome<std::uint32_t> default_domain();
// The option's value, if there is one, else the default.
Outcome<std::uint32_t> chosen_domain(const std::optional<std::string>& option);

// Every domain that has a folder in the runtime directory, in order. Its agent need not run any more.
std::vector<std::uint32_t> domains_present();

}  // namespace xylem::cli
