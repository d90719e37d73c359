// Whom the command connects to over rings, and the lines of the hosts map that decide about these
// connections.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/cli/json_field.hpp"
#include "control/cli/tune_plan.hpp"

namespace xylem::cli {

struct TunePeer {
    std::string address;
    std::string place;  // "/etc/xylem/hosts:3", "built in"; empty if no line decides, as of AF_VSOCK
    bool is_built_in = false;
    std::string line;  // that line, or the one to write in place of a built-in one; without ring= and spin=
    TuneSetting options;  // of the line
    TuneSetting now;      // with the agent's defaults for what the line does not say
};

// answer: the agent's `explain` report about the address; map, health: its reports of these names.
TunePeer peer_of(const std::string& address, const Json& answer, const Json& map, const Json& health);

// Those that the `run` report names, at most kMaxPeers, the busiest first. What the agent cannot say is left
// out: older agents name no peers.
Outcome<std::vector<TunePeer>> look_up_peers(std::uint32_t domain, const Json& sums);
inline constexpr std::size_t kMaxPeers = 8;

// The line with the options of the setting, and its own where the setting has none.
std::string hosts_line(const TunePeer& peer, const TuneSetting& setting);

}  // namespace xylem::cli
