// TunePeer: a line of the file keeps its words; what is built in cannot be written down as it is, and becomes
// a line for the one address.
#include "control/cli/tune_peers.hpp"

#include <fmt/format.h>

#include <sstream>

#include "control/cli/agent_client.hpp"
#include "control/cli/hosts_source.hpp"
#include "control/cli/target.hpp"
#include "hosts-map/options.hpp"

namespace xylem::cli {
namespace {

std::string without_tuned_options(const std::string& line) {
    std::istringstream words(line);
    std::string text;
    for (std::string word; words >> word;) {
        if (word.starts_with("ring=") || word.starts_with("spin=")) continue;
        text += (text.empty() ? "" : " ") + word;
    }
    return text;
}

std::string text_of_line(const Json& map, std::uint64_t line) {
    for (const Json& entry : member(map, "entries")) {
        if (number_at(entry, "line") == line) return text_at(entry, "text");
    }
    return {};
}

TuneSetting setting_in(const Json& report) {
    return {number_at(report, "ring_size_bytes"), number_at(report, "spin_ns")};
}

// What first has not, of second.
TuneSetting merged(const TuneSetting& first, const TuneSetting& second) {
    return {first.ring_size_bytes ? first.ring_size_bytes : second.ring_size_bytes,
            first.spin_ns ? first.spin_ns : second.spin_ns};
}

}  // namespace

TunePeer peer_of(const std::string& address, const Json& answer, const Json& map, const Json& health) {
    const Json& entry = member(answer, "entry");
    TunePeer peer;
    peer.address = address;
    peer.options = setting_in(entry);
    peer.now = merged(peer.options, setting_in(health));
    const auto domain = number_at(answer, "target_domain");
    if (!entry.is_object() || !domain) return peer;
    const std::uint64_t line = number_at(entry, "line").value_or(0);
    peer.place = place_of_line(text_at(map, "file"), line);
    peer.is_built_in = line == 0;
    peer.line = line == 0 ? fmt::format("{} dom:{}", address, *domain)
                          : without_tuned_options(text_of_line(map, line));
    if (peer.line.empty()) peer.place.clear();
    return peer;
}

Outcome<std::vector<TunePeer>> look_up_peers(std::uint32_t domain, const Json& sums) {
    std::vector<TunePeer> peers;
    auto agent = AgentClient::open(domain);
    if (!agent) return tl::unexpected(agent.error());
    auto map = agent->ask(QueryKind::map);
    if (!map) return tl::unexpected(map.error());
    auto health = agent->ask(QueryKind::health);
    if (!health) return tl::unexpected(health.error());
    for (const Json& row : member(sums, "ring_peers")) {
        if (peers.size() == kMaxPeers) break;
        auto target = parse_target(text_at(row, "peer"));
        if (!target) continue;
        auto answer = agent->ask(QueryKind::explain, target->name);
        if (!answer) return tl::unexpected(answer.error());
        peers.push_back(peer_of(text_at(row, "peer"), *answer, *map, *health));
    }
    return peers;
}

std::string hosts_line(const TunePeer& peer, const TuneSetting& setting) {
    const TuneSetting written = merged(setting, peer.options);
    HostsOptions options;
    options.ring_size_bytes = written.ring_size_bytes;
    options.spin_ns = written.spin_ns;
    return peer.line + to_string(options);
}

}  // namespace xylem::cli
