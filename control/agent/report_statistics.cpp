// Statistics: counters, quotas, peers, the pool, links.
#include <map>

#include "control/agent/agent.hpp"
#include "control/agent/end_figures.hpp"
#include "control/agent/end_keeping.hpp"
#include "control/agent/report.hpp"
#include "control/agent/report_latency.hpp"
#include "control/agent/session_records.hpp"
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
#define XYLEM_COUNTER(name, help) {#name, counters.name},
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

Json of(const char* name, const Quota& quota, const char* unit, const char* counts) {
    return {
        {"name", name}, {"used", quota.used()}, {"limit", quota.limit()}, {"unit", unit}, {"counts", counts}};
}

Json quotas_of(const Agent& agent) {
    return {of("ends", agent.ends.quota(), "count", "ends of connections"),
            of("memory", agent.memory, "bytes", "slabs"),
            of("listeners", agent.listeners.quota(), "count", "listeners of programs"),
            of("sessions", agent.session_quota, "count", "sessions of programs"),
            of("grants", agent.grants, "pages", "slabs that other guests may map"),
            of("mapped", agent.mapped, "pages", "slabs of other guests, each once"),
            of("channels", agent.channels, "count", "event channels of doorbells"),
            of("bells", agent.bells.quota(), "count", "doorbells of programs"),
            of("vsock_ports", agent.vsock_ports.quota(), "count", "ports of AF_VSOCK")};
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

// Of those that ended, and of those that run.
Json connections_of(const Agent& agent) {
    ConnectionSums sums = agent.ended_connections;
    agent.sessions.for_each([&sums](const Session& session) { sums.add(session); });
    return {{"ring", sums.ring}, {"tcp", by_reason(sums.tcp)}};
}

Json json_of(const DataFigures& figures, const Json& peer_domain) {
    return {
        {"domain", peer_domain},
        {"tx_bytes", figures.tx_bytes},
        {"rx_bytes", figures.rx_bytes},
#define XYLEM_END_COUNTER(name, help) {#name, figures.name},
#include "control/agent/end_counters.def"
#undef XYLEM_END_COUNTER
        {"replies", json_of_latency(figures.replies, figures.replies_ns)},
    };
}

Json data_of(const Agent& agent) {
    DataSums sums = agent.ended_data;
    agent.ends.for_each([&sums](const End& end) { sums.add(end); });
    Json json = Json::array();
    for (const auto& [domain, figures] : sums.by_peer()) json.push_back(json_of(figures, domain));
    if (sums.by_peer().size() == DataSums::kMostPeers) json.push_back(json_of(sums.of_others(), nullptr));
    return json;
}

struct PeerFigures {
    std::uint64_t ends = 0;
    Storms::Counts storms;
};

// Also those that have no end any more, and still hold pages, or have stormed.
Json peers_of(const Agent& agent) {
    std::map<std::uint32_t, PeerFigures> peers;
    for (const auto& [domain, count] : agent.ends.per_peer()) peers[domain].ends = count;
    for (const PeerShares* shares : {&agent.grant_shares, &agent.mapped_shares})
        shares->for_each_peer([&](std::uint32_t domain) { peers.try_emplace(domain); });
    agent.storms.for_each(
        [&](std::uint32_t domain, const Storms::Counts& counts) { peers[domain].storms = counts; });
    agent.sessions.for_each([&](const Session& session) {
        for_each_storm(
            session, [&](std::uint32_t domain, std::uint64_t waits) { peers[domain].storms.waits += waits; });
    });
    Json json = Json::array();
    for (const auto& [domain, figures] : peers) {
        json.push_back({{"domain", domain},
                        {"ends", figures.ends},
                        {"limit", agent.ends.limit_per_peer()},
                        {"granted_pages", agent.grant_shares.of(domain)},
                        {"mapped_pages", agent.mapped_shares.of(domain)},
                        {"storms", figures.storms.storms},
                        {"bell_storms", figures.storms.waits}});
    }
    return json;
}

}  // namespace

Json report_statistics(const Agent& agent) {
    Json report = begin_report(agent);
    report["uptime_seconds"] = (now_ns() - agent.started_ns) / kNsPerSecond;
    report["counters"] = counters_of(agent);
    report["connects_failed"] = by_reason(agent.counters.connects_failed);
    report["refused"] = by_reason(agent.counters.refused);
    report["programs"] = programs_of(agent);
    report["connections"] = connections_of(agent);
    report["data"] = data_of(agent);
    report["quotas"] = quotas_of(agent);
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
