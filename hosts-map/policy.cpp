// Policy: rules in file order, the first match decides. Asked once a connection by the agent, never on
// the data path, so a walk over the rules is all it takes.
#include "hosts-map/policy.hpp"

#include <utility>

#include "hosts-map/word.hpp"

namespace xylem {

Result<Policy, Diagnostics> Policy::parse(std::string_view text) {
    Policy policy;
    Diagnostics diagnostics;
    text::LineReader lines(text);
    while (auto line = lines.next()) {
        auto rule = parse_policy_line(line->text, line->number);
        if (!rule) {
            diagnostics.push_back(rule.error());
        } else if (rule->has_value()) {
            policy.rules_.push_back(**rule);
        }
        if (diagnostics.size() == kMaxDiagnostics) break;
    }
    if (!diagnostics.empty()) return tl::unexpected(std::move(diagnostics));
    return policy;
}

bool Policy::allows(const PolicySource& source, std::uint32_t destination_port) const {
    const PolicyRule* rule = deciding_rule(source, destination_port);
    return rule == nullptr || rule->allows;
}

const PolicyRule* Policy::deciding_rule(const PolicySource& source, std::uint32_t destination_port) const {
    for (const PolicyRule& rule : rules_) {
        if (rule.matches(source, destination_port)) return &rule;
    }
    return nullptr;
}

}  // namespace xylem
