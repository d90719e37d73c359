// The hosts map and the policy in force.
#include <map>

#include "control/agent/agent.hpp"
#include "control/agent/report.hpp"

namespace xylem::agent {
namespace {

Json entries_of(const Agent& agent) {
    std::map<std::uint32_t, std::string> texts;
    for (const HostsRow& row : agent.map.file().rows()) texts[row.line] = row.text;
    const std::map<std::uint32_t, std::string> guests = agent.map.guests_by_line();
    const MapTableHeader& table = agent.map.table();
    const auto* entries = reinterpret_cast<const MapTableEntry*>(&table + 1);
    Json list = Json::array();
    for (unsigned g = 0; g < table.group_count; ++g) {
        const MapTableGroup& group = table.groups[g];
        for (std::uint32_t i = 0; i < group.entry_count; ++i) {
            const MapTableEntry& entry = entries[group.first_entry + i];
            Json json = json_of(entry, group.family, group.prefix_bits);
            if (const auto guest = guests.find(entry.line); guest != guests.end())
                json["guest"] = guest->second;
            json["text"] = texts[entry.line];
            list.push_back(std::move(json));
        }
    }
    return list;
}

Json addresses_of(const MapTableHeader& table) {
    Json addresses = Json::array();
    for (const SocketName& name : table.own_address) {
        if (name.family != 0) addresses.push_back(json_of(name));
    }
    return addresses;
}

Json rules_of(const Policy& policy) {
    Json rules = Json::array();
    for (const PolicyRule& rule : policy.rules()) {
        rules.push_back({{"line", rule.line}, {"text", to_string(rule)}});
    }
    return rules;
}

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

}  // namespace

Json report_map(const Agent& agent) {
    Json report = begin_report(agent);
    report["file"] = agent.map.file().path();
    report["from_file"] = agent.map.file().is_from_file();
    report["entries"] = entries_of(agent);
    report["own_addresses"] = addresses_of(agent.map.table());
    report["loaded_seconds_ago"] = (now_ns() - agent.map.loaded_at_ns()) / kNsPerSecond;
    report["last_error"] = text_or_null(agent.map.last_error());
    report["policy_file"] = text_or_null(agent.policy.path());
    report["policy_rules"] = rules_of(agent.policy.policy());
    report["policy_last_error"] = text_or_null(agent.policy.last_error());
    return report;
}

}  // namespace xylem::agent
