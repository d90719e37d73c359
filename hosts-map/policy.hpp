// The agent's allow/deny list (/etc/xylem/policy). A ring bypasses the packet filter, so this is where an
// administrator says who may reach what over one. A refused connection goes over kernel TCP, where the
// packet filter decides. Immutable once built: any number of threads may read one.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "hosts-map/diagnostic.hpp"
#include "hosts-map/policy_rule.hpp"
#include "vsock-transport/base/result.hpp"

namespace xylem {

class Policy {
  public:
    Policy() = default;  // allows everything

    // The whole text of a policy file. Errors: one per bad line, in order, at most kMaxDiagnostics.
    static Result<Policy, Diagnostics> parse(std::string_view text);

    // The first rule that matches decides; where none does, the answer is yes.
    bool allows(const PolicySource& source, std::uint32_t destination_port) const;
    // The rule that decides, or nullptr for the default. Lives as long as the policy.
    const PolicyRule* deciding_rule(const PolicySource& source, std::uint32_t destination_port) const;

    // In the file's order.
    std::span<const PolicyRule> rules() const { return rules_; }

  private:
    std::vector<PolicyRule> rules_;
};

}  // namespace xylem
