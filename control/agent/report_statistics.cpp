// Statistics: counters, quotas, the pool, links.
#include "control/agent/agent.hpp"
#include "control/agent/end_figures.hpp"
#include "control/agent/end_keeping.hpp"
#include "control/agent/report.hpp"
#include "control/protocol/runtime_paths.hpp"
#include "control/protocol/session_page_layout.h"

namespace xylem::agent {
namespace {

// Bytes of ended connections are counted already; those of live ones are on their end pages.
Json counters_of(const Agent& agent) {
    Counters counters = agent.counters;
    agent.ends.for_each([&](const End& end) {
        count_bytes(counters, end);
        count_uses(counters, end);
    });
    return {
#define XYLEM_COUNTER(name) {#name, counters.name},
#include "control/agent/counters.def"
#undef XYLEM_COUNTER
    };
}

std::uint64_t count_kept(const Ends& ends) {
    std::uint64_t kept = 0;
    ends.for_each([&kept](const End& end) { kept += is_kept(end) ? 1 : 0; });
    return kept;
}

Json by_reason(const std::uint64_t (&counts)[kReasonCount]) {
    Json json = Json::object();
    for (std::uint32_t i = 0; i < kReasonCount; ++i) {
        if (counts[i] != 0) json[reason_name(i)] = counts[i];
    }
    return json;
}

Json of(const char* name, const Quota& quota, const char* unit) {
    return {{"name", name}, {"used", quota.used()}, {"limit", quota.limit()}, {"unit", unit}};
}

Json programs_of(const Agent& agent) {
    std::uint64_t sessions = 0;
    std::uint64_t ring = 0;
    std::uint64_t tcp = 0;
    agent.sessions.for_each([&](const Session& session) {
        if (session.state == SessionState::greeting || session.role != SessionRole::program) return;
        ++sessions;
        if (!session.page) return;
        ring += session.page.as<SessionPage>()->ring_connections.load_relaxed();
        tcp += session.page.as<SessionPage>()->tcp_connections.load_relaxed();
    });
    return {{"sessions", sessions}, {"ring_connections", ring}, {"tcp_connections", tcp}};
}

Json peers_of(const Agent& agent) {
    Json peers = Json::array();
    for (const auto& [domain, count] : agent.ends.per_peer()) {
        peers.push_back({{"domain", domain},
                         {"ends", count},
                         {"limit", agent.ends.limit_per_peer()},
                         {"granted_pages", agent.grant_shares.of(domain)}});
    }
    return peers;
}

}  // namespace

Json report_statistics(const Agent& agent) {
    Json report = begin_report(agent);
    report["uptime_seconds"] = (now_ns() - agent.started_ns) / kNsPerSecond;
    report["counters"] = counters_of(agent);
    report["connects_failed"] = by_reason(agent.counters.connects_failed);
    report["refused"] = by_reason(agent.counters.refused);
    report["programs"] = programs_of(agent);
    report["quotas"] = {of("ends", agent.ends.quota(), "count"),
                        of("memory", agent.memory, "bytes"),
                        of("listeners", agent.listeners.quota(), "count"),
                        of("sessions", agent.session_quota, "count"),
                        of("grants", agent.grants, "pages"),
                        of("mapped", agent.mapped, "pages"),
                        of("channels", agent.channels, "count"),
                        of("bells", agent.bells.quota(), "count"),
                        of("vsock_ports", agent.vsock_ports.quota(), "count")};
    report["fabric_dir"] = fabric_directory().text;
    report["kept_ends"] = count_kept(agent.ends);
    report["peers"] = peers_of(agent);
    report["pool"] = {{"slabs", agent.pool.idle()},
                      {"bytes", agent.pool.idle_bytes()},
                      {"waiting", agent.pool.waiting()},
                      {"hits", agent.pool.hits()},
                      {"misses", agent.pool.misses()}};
    report["links"] = json_of_links(agent);
    return report;
}

}  // namespace xylem::agent
