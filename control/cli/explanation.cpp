// Explanation: the report has one reason, the first obstacle on the way. Everything before that obstacle is
// known to be fine, everything behind it is not known; so each line is derived from where the reason stands.
#include "control/cli/explanation.hpp"

#include <fmt/format.h>

#include "control/cli/hosts_source.hpp"
#include "control/cli/remedy.hpp"

namespace xylem::cli {
namespace {

bool is_one_of(const std::string& reason, std::initializer_list<const char*> codes) {
    for (const char* code : codes) {
        if (reason == code) return true;
    }
    return false;
}

bool has_port(const Json& answer) { return number_at(member(answer, "target"), "port").value_or(0) != 0; }

std::string map_line(const Json& answer) {
    if (text_at(member(answer, "target"), "family") == "vsock") return "not asked: the cid is the domain";
    const Json& entry = member(answer, "entry");
    const std::string file = text_at(answer, "file");
    if (!entry.is_object() && !bool_at(answer, "from_file")) {
        return fmt::format("{} does not exist, and only 127.44.0.0/16 is built in", file);
    }
    if (!entry.is_object()) return fmt::format("no line of {} covers the address", file);
    return fmt::format("{}: {}", place_of_line(file, number_at(entry, "line").value_or(0)),
                       entry_text(entry));
}

std::string domain_line(const Json& answer) {
    auto target = number_at(answer, "target_domain");
    const std::uint64_t own = number_at(answer, "domain").value_or(0);
    if (!target) return "none";
    if (text_at(member(answer, "entry"), "target") == "node")
        return fmt::format("{} of another node", *target);
    return *target == own ? fmt::format("{}, the own one", own)
                          : fmt::format("{}, asked from domain {}", *target, own);
}

std::string agent_line(const Json& answer, const std::string& reason) {
    if (!bool_at(answer, "agent")) {
        return fmt::format("none runs for domain {}", number_at(answer, "domain").value_or(0));
    }
    if (reason == "no_peer_agent") return "none answers in that domain";
    if (reason == "agent_timeout") return "one is there, but does not answer in time";
    if (reason == "version_mismatch") return "one is there, of another version";
    if (is_one_of(reason, {"not_mapped", "mapped_to_tcp", "other_node", "unknown_guest"})) return "not asked";
    return "answers";
}

std::string listener_line(const Json& answer, const std::string& reason) {
    if (reason == "no_listener") return "none on that port";
    if (reason == "listener_private") return "one, bound to an address that is not its domain's";
    if (reason == "backlog_full") return "one, with a full accept queue";
    if (!has_port(answer)) return "not asked: no port given";
    return reason == "ring" ? "a program listens on that port" : "not asked";
}

std::string policy_line(const Json& answer, const std::string& reason) {
    const std::string rule = text_at(answer, "policy");
    if (reason == "refused_by_policy") return rule.empty() ? "denies it" : "denies it: " + rule;
    if (reason != "ring") return "not asked";
    if (!has_port(answer)) return "not asked: no port given";
    return rule.empty() ? "allows it" : "allows it: " + rule;
}

// With port 0 the agent was asked about the address only: `ring` means that the far agent answers.
std::string transport_line(const Json& answer, bool is_ring, bool colours) {
    if (is_ring && !has_port(answer)) {
        return painted("ring", Paint::good, colours) +
               " to ports where a program listens and the policy allows it";
    }
    return painted(text_at(answer, "transport", "tcp"), is_ring ? Paint::good : Paint::doubtful, colours) +
           ": " + text_at(answer, "reason_text");
}

std::string line(const char* label, const std::string& text) {
    return fmt::format("  {:<10} {}\n", label, text);
}

}  // namespace

std::string explanation_text(const Json& answer, bool colours) {
    const std::string reason = text_at(answer, "reason");
    const bool is_ring = text_at(answer, "transport") == "ring";
    const std::string host = text_at(answer, "host_name");
    const Json& target = member(answer, "target");
    std::string text =
        (has_port(answer) ? name_text(target) : text_at(target, "address", name_text(target))) +
        (host.empty() ? "" : " (" + host + ")") + "\n";
    text += line("hosts map", map_line(answer));
    text += line("domain", domain_line(answer));
    text += line("agent", agent_line(answer, reason));
    text += line("listener", listener_line(answer, reason));
    text += line("policy", policy_line(answer, reason));
    text += line("transport", transport_line(answer, is_ring, colours));
    const std::string_view remedy = remedy_for(reason);
    if (!is_ring && !remedy.empty()) text += line("to do", std::string(remedy));
    return text;
}

}  // namespace xylem::cli
