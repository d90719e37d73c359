// One line of the agent's policy: whether connections from a domain to a port may use a ring.
//
//     deny from dom:7 to port any
//     allow from any to port 8000-8999
//     allow from node:192.168.7.2 to port 5432
//     deny from node:192.168.7.3/dom:4 to port any
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "hosts-map/diagnostic.hpp"
#include "hosts-map/place.hpp"
#include "vsock-transport/base/result.hpp"

namespace xylem {

constexpr std::uint32_t kMaxWrittenPort = UINT32_MAX - 1;  // of AF_VSOCK; VMADDR_PORT_ANY is none

// Who asks for a connection.
struct PolicySource {
    PolicySource(std::uint32_t number, std::string name = {}) : domain(number), node(std::move(name)) {}

    std::uint32_t domain;
    std::string node;  // node_name() of another machine's; empty: a domain of this one
};

struct PolicyRule {
    bool allows = true;
    std::optional<Place> source_node;            // none: this machine, or with no domain either, all; without
                                                 // a port: whatever port that one's bridge says it has
    std::optional<std::uint32_t> source_domain;  // none: any
    std::uint32_t first_port = 0;                // `any` is 0 to UINT32_MAX: AF_VSOCK has a port 0
    std::uint32_t last_port = UINT32_MAX;
    std::uint32_t line = 0;  // where it stands in its file, counted from 1

    bool matches(const PolicySource& source, std::uint32_t port) const {
        return is_from(source) && first_port <= port && port <= last_port;
    }

  private:
    bool is_from(const PolicySource& source) const;
};

// Nothing for a blank or comment line. The text is one line without its line feed.
Result<std::optional<PolicyRule>, Diagnostic> parse_policy_line(std::string_view text,
                                                                std::uint32_t line_number);
// The rule in the file's grammar; parses back to an equal rule.
std::string to_string(const PolicyRule& rule);

}  // namespace xylem
