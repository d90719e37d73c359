// Feeds any text to the policy's parser. Whatever it says must hold together:
// - a diagnostic points into its line, or just past its end, and prints as one line;
// - a rule prints as a line that parses to an equal rule;
// - the rule that decides is the first that matches, and the answer is its answer.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hosts-map/policy.hpp"
#include "tests/fuzz/diagnostics_check.hpp"

namespace {

using namespace xylem;

void check_decision(const Policy& policy, const PolicySource& source, std::uint32_t port) {
    const PolicyRule* decided = policy.deciding_rule(source, port);
    require(policy.allows(source, port) == (decided == nullptr || decided->allows));
    for (const PolicyRule& rule : policy.rules()) {
        if (&rule == decided) {
            require(rule.matches(source, port));
            return;
        }
        require(!rule.matches(source, port));
    }
    require(decided == nullptr);
}

void check_rule(const Policy& policy, const PolicyRule& rule) {
    auto again = parse_policy_line(to_string(rule), 1);
    require(again && again->has_value());
    require((*again)->allows == rule.allows && (*again)->source_domain == rule.source_domain);
    require((*again)->source_node == rule.source_node);
    require((*again)->first_port == rule.first_port && (*again)->last_port == rule.last_port);
    require(rule.first_port <= rule.last_port);
    std::uint32_t domain = rule.source_domain.value_or(1);
    for (std::uint32_t port : {rule.first_port, rule.last_port, rule.last_port + 1}) {
        check_decision(policy, domain, port);
        check_decision(policy, domain + 1, port);
        if (rule.source_node) check_decision(policy, {domain, node_name(*rule.source_node)}, port);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
    std::string_view text(reinterpret_cast<const char*>(data), size_bytes);
    auto policy = Policy::parse(text);
    if (!policy) {
        check_diagnostics(policy.error(), text);
        return 0;
    }
    for (const PolicyRule& rule : policy->rules()) check_rule(*policy, rule);
    return 0;
}
