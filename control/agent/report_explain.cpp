// Explaining: goes the way of a connect, with a dry run instead of a slab, and tells each step.
#include <linux/vm_sockets.h>

#include <cstring>

#include "control/agent/agent.hpp"
#include "control/agent/connect_attempt.hpp"
#include "control/agent/names.hpp"
#include "control/agent/report.hpp"
#include "control/agent/route.hpp"

namespace xylem::agent {
namespace {

void put_transport(Json& report, const SocketName& target, Reason reason) {
    report["transport"] = reason == Reason::ring ? "ring" : kernel_transport(target);
    put_reason(report, reason);
}

void put_entry(Json& report, const MapPublisher& map, const MapTableEntry* entry) {
    if (entry == nullptr) return;
    const MapTableHeader& table = map.table();
    const auto guests = map.guests_by_line();
    const auto* entries = reinterpret_cast<const MapTableEntry*>(&table + 1);
    const auto index = static_cast<std::uint32_t>(entry - entries);
    for (unsigned g = 0; g < table.group_count; ++g) {
        const MapTableGroup& group = table.groups[g];
        if (index < group.first_entry || index >= group.first_entry + group.entry_count) continue;
        report["entry"] = json_of(*entry, group.family, group.prefix_bits);
        if (const auto guest = guests.find(entry->line); guest != guests.end())
            report["entry"]["guest"] = guest->second;
    }
}

// Whether that domain's agent answers at all: it has no doorbell 0, but says so.
void ask_agent(Agent& agent, std::uint32_t domain, const std::function<void(Reason)>& decided) {
    if (domain == agent.settings.domain) return decided(Reason::ring);
    const auto question = make_message<LinkBellFindMessage>(kLinkMagic, LinkMessage::bell_find, 0);
    agent.links.ask(domain, question, {}, [decided](Reason failure, Received* answer) {
        decided(answer != nullptr ? Reason::ring : failure);
    });
}

void ask_listener(Agent& agent, const SocketName& target, const std::function<void(Reason)>& decided) {
    ConnectMessage ask{};
    ask.peer = target;
    ask.flags = kConnectDryRun;
    ask.spin_ns = kUnsetSpinNs;
    const auto attempt = std::make_shared<ConnectAttempt>();
    const Reason prepared = prepare(agent, ask, *attempt);
    if (prepared != Reason::ring) return decided(prepared);
    ask_accepting_side(agent, *attempt, [attempt, decided](Reason reason, bool) { decided(reason); });
}

void explain(Agent& agent, const SocketName& asked, const SocketName& target,
             const std::function<void(Json)>& told) {
    const Route route = find_route(agent, target, 0, kUnsetSpinNs);
    Json report = begin_report(agent);
    report["target"] = json_of(asked);
    report["entry"] = nullptr;
    report["target_domain"] = nullptr;
    report["policy"] = nullptr;
    put_entry(report, agent.map, route.entry);
    const bool names_domain = route.reason == Reason::ring || route.reason == Reason::other_node;
    if (names_domain) report["target_domain"] = domain_on_node(route.domain);
    report["asked_peer"] = route.reason == Reason::ring && route.domain != agent.settings.domain;
    if (route.reason != Reason::ring) {
        put_transport(report, target, route.reason);
        return told(std::move(report));
    }
    if (route.domain == agent.settings.domain) {
        const PolicyRule* rule = agent.policy.policy().deciding_rule(route.domain, target.port);
        if (rule != nullptr) report["policy"] = to_string(*rule);
    }
    const auto decided = [report = std::move(report), target, told](Reason reason) {
        Json done = report;
        put_transport(done, target, reason);
        told(std::move(done));
    };
    if (target.port == 0) return ask_agent(agent, route.domain, decided);
    ask_listener(agent, target, decided);
}

}  // namespace

void report_explain(Agent& agent, const SocketName& target, std::function<void(Json)> told) {
    const bool is_local = target.family == AF_VSOCK && cid_of(target) == VMADDR_CID_LOCAL;
    if (!is_local || agent.settings.domain == VMADDR_CID_LOCAL) return explain(agent, target, target, told);
    // Domain 1 if it has an agent, else the own domain: as the guest library does it.
    ask_agent(agent, VMADDR_CID_LOCAL, [&agent, target, told = std::move(told)](Reason reason) {
        SocketName meant = target;
        const std::uint32_t own = agent.settings.domain;
        if (reason == Reason::no_peer_agent) std::memcpy(meant.address, &own, sizeof own);
        explain(agent, target, meant, told);
    });
}

}  // namespace xylem::agent
