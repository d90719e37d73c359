// The sums of a run, biggest first.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "control/agent/agent.hpp"
#include "control/agent/report.hpp"

namespace xylem::agent {
namespace {

Json rows_of(const Tallies& tallies, const char* name_field, const char* count_field) {
    std::vector<const Tallies::value_type*> sorted;
    for (const auto& tally : tallies) sorted.push_back(&tally);
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const auto* a, const auto* b) { return a->second > b->second; });
    Json rows = Json::array();
    for (const auto* tally : sorted) {
        const auto& [reason, name] = tally->first;
        Json row = {{name_field, name.empty() ? Json() : Json(name)}, {count_field, tally->second}};
        put_reason(row, reason);
        rows.push_back(std::move(row));
    }
    return rows;
}

// A process that is not visible from here is told by its session alone.
bool goes_on(const Session& session) {
    const bool is_invisible = session.process.fd() < 0 && session.state == SessionState::open;
    return is_invisible || session.process.is_alive();
}

}  // namespace

Json report_run(const Agent& agent, RunId id, const RunSums& ended) {
    const RunSums sums = sums_of(agent, id, ended);
    std::uint64_t going_on = 0;
    std::uint64_t greeting = 0;
    agent.sessions.for_each([&](const Session& session) {
        if (session.state == SessionState::greeting) ++greeting;
        if (session.run_id == id && session.role == SessionRole::program && goes_on(session)) ++going_on;
    });
    Json report = begin_report(agent);
    report["run"] = fmt::format("{:016x}", id);
    report["sessions"] = sums.sessions;
    report["going_on"] = going_on;
    report["greeting"] = greeting;
    report["ring"] = {{"made", sums.made},
                      {"accepted", sums.accepted},
                      {"tx_bytes", sums.tx_bytes},
                      {"rx_bytes", sums.rx_bytes}};
    report["ring_peers"] = rows_of(sums.ring_peers, "peer", "connections");
    report["tcp"] = rows_of(sums.tcp, "peer", "connections");
    report["bypasses"] = rows_of(sums.bypasses, "program", "times");
    return report;
}

}  // namespace xylem::agent
