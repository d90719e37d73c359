// One line of the agent's policy: whether connections from a domain to a port may use a ring.
//
//     deny from dom:7 to port any
//     allow from any to port 8000-8999
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hosts-map/diagnostic.hpp"
#include "vsock-transport/base/result.hpp"

namespace xylem {

constexpr std::uint32_t kMaxWrittenPort = UINT32_MAX - 1;  // of AF_VSOCK; VMADDR_PORT_ANY is none

struct PolicyRule {
    bool allows = true;
    std::optional<std::uint32_t> source_domain;  // none: any
    std::uint32_t first_port = 0;                // `any` is 0 to UINT32_MAX: AF_VSOCK has a port 0
    std::uint32_t last_port = UINT32_MAX;
    std::uint32_t line = 0;  // where it stands in its file, counted from 1

    bool matches(std::uint32_t domain, std::uint32_t port) const {
        return (!source_domain || *source_domain == domain) && first_port <= port && port <= last_port;
    }
};

// Nothing for a blank or comment line. The text is one line without its line feed.
Result<std::optional<PolicyRule>, Diagnostic> parse_policy_line(std::string_view text,
                                                                std::uint32_t line_number);
// The rule in the file's grammar; parses back to an equal rule.
std::string to_string(const PolicyRule& rule);

}  // namespace xylem
