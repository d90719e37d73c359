// The hosts map that is in force, or would be: asked of the agent, or read from the file an agent would read.
// Either way as JSON of the same shape: the `map` report of control/README.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "control/cli/failure.hpp"
#include "control/cli/json_field.hpp"
#include "hosts-map/map.hpp"

namespace xylem::cli {

// The file that an agent reads which was told of none: XYLEM_HOSTS, else /etc/xylem/hosts.
std::string default_hosts_file();

struct HostsSource {
    HostsMap map;
    std::string file;
    bool from_file = true;  // false: there is no such file, zero configuration holds
};

// named: that file must be there; "-" is standard input. none: the default file, or zero configuration.
// Errors: kFailed, one line a mistake.
Outcome<HostsSource> read_hosts(const std::optional<std::string>& named);

// As the agent's report gives them: `entries` has the fields prefix, line, target, domain, node,
// ring_size_bytes, spin_ns and text.
Json entry_json(const HostsEntry& entry);
Json map_json(const HostsSource& source);

// The entry's address or prefix: without the length where it is a single address.
std::string address_text(const Json& entry);
// In the file's words: "dom:2", "ring=1M spin=50us" (empty if none), and both after the address or prefix.
std::string where_text(const Json& entry);
std::string options_text(const Json& entry);
std::string entry_text(const Json& entry);

// "/etc/xylem/hosts:3", or "built in".
std::string place_of_line(const std::string& file, std::uint64_t line);

// All of standard input, at most kMaxFileBytes.
Outcome<std::string> read_standard_input();

}  // namespace xylem::cli
