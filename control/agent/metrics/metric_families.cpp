// Families: one function for each part of the report. Rows are by peer domain, reason or quota, never by
// connection or process, so that there is a bound to them.
#include "control/agent/metrics/metric_families.hpp"

#include <algorithm>
#include <string>

#include "control/agent/report.hpp"
#include "control/agent/settings.hpp"
#include "control/protocol/reason.hpp"
#include "control/protocol/remote_domain.hpp"
#include "vsock-transport/base/clock.hpp"

namespace xylem::agent {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using MetricLabels = std::vector<ClientMetric::Label>;

constexpr bool is_told(std::uint32_t reason) {
    return reason != static_cast<std::uint32_t>(Reason::none) &&
           reason != static_cast<std::uint32_t>(Reason::ring);
}

const Json& part_of(const Json& object, const char* name) {
    static const Json kNothing;
    if (!object.is_object()) return kNothing;
    const auto found = object.find(name);
    return found == object.end() ? kNothing : *found;
}

double value_of(const Json& object, const char* name) {
    const Json& value = part_of(object, name);
    return value.is_number() ? value.get<double>() : 0;
}

std::string word_of(const Json& object, const char* name) {
    const Json& value = part_of(object, name);
    return value.is_string() ? value.get<std::string>() : std::string();
}

std::uint64_t count_of(const Json& object) {
    const Json& value = part_of(object, "count");
    return value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
}

class Families {
  public:
    // A family; rows of it follow.
    void begin(MetricType type, const std::string& name, std::string help) {
        families_.push_back({"xylem_" + name, std::move(help), type, {}});
    }
    void row(double value, MetricLabels labels = {}) {
        ClientMetric metric;
        metric.label = std::move(labels);
        metric.counter.value = metric.gauge.value = value;
        families_.back().metric.push_back(std::move(metric));
    }
    void counter(const std::string& name, std::string help, double value) {
        begin(MetricType::Counter, name + "_total", std::move(help));
        row(value);
    }
    void gauge(const std::string& name, std::string help, double value) {
        begin(MetricType::Gauge, name, std::move(help));
        row(value);
    }
    void histogram_row(const Json& latency, MetricLabels labels) {
        ClientMetric metric;
        metric.label = std::move(labels);
        metric.histogram.sample_count = count_of(latency);
        metric.histogram.sample_sum = value_of(latency, "sum_ns") / kNsPerSecond;
        for (const Json& bound : part_of(latency, "bounds")) {
            ClientMetric::Bucket bucket;
            bucket.upper_bound = value_of(bound, "below_ns") / kNsPerSecond;
            bucket.cumulative_count = count_of(bound);
            metric.histogram.bucket.push_back(bucket);
        }
        families_.back().metric.push_back(std::move(metric));
    }
    std::vector<MetricFamily> take() { return std::move(families_); }

  private:
    std::vector<MetricFamily> families_;
};

// A domain of another node has that node's number in its own (remote_domain.hpp).
MetricLabels labels_of_peer(const Json& peer) {
    const Json& number = part_of(peer, "domain");
    if (!number.is_number()) return {{"peer_domain", "other"}};
    const auto domain = number.get<std::uint32_t>();
    if (!is_remote_domain(domain)) return {{"peer_domain", std::to_string(domain)}};
    const std::string node = numbered_node(node_number_of(domain)).text;
    return {{"peer_domain", std::to_string(domain_on_node(domain))},
            {"peer_node", node.empty() ? "number " + std::to_string(node_number_of(domain)) : node}};
}

void add_agent(Families& families, const Json& report) {
    families.begin(MetricType::Gauge, "agent_info", "The agent: the domain that it serves, its release");
    families.row(1, {{"domain", std::to_string(static_cast<std::uint32_t>(value_of(report, "domain")))},
                     {"version", kVersion}});
    families.gauge("agent_uptime_seconds", "Time since the agent began", value_of(report, "uptime_seconds"));
    const Json& counters = part_of(report, "counters");
#define XYLEM_COUNTER(name, help) families.counter(#name, help, value_of(counters, #name));
#include "control/agent/counters.def"
#undef XYLEM_COUNTER
}

void add_by_reason(Families& families, const Json& counts) {
    for (std::uint32_t reason = 0; reason < kReasonCount; ++reason) {
        if (is_told(reason))
            families.row(value_of(counts, reason_name(reason)), {{"reason", reason_name(reason)}});
    }
}

void add_connections(Families& families, const Json& report) {
    const Json& connections = part_of(report, "connections");
    families.begin(MetricType::Counter, "connections_total",
                   "Connections of this domain's programs, made and accepted, by transport and why");
    families.row(value_of(connections, "ring"), {{"transport", "ring"}, {"reason", "ring"}});
    for (std::uint32_t reason = 0; reason < kReasonCount; ++reason) {
        if (!is_told(reason)) continue;
        const char* name = reason_name(reason);
        families.row(value_of(part_of(connections, "tcp"), name), {{"transport", "tcp"}, {"reason", name}});
    }
    families.begin(MetricType::Counter, "connects_failed_total",
                   "Connects of this domain's programs that went to TCP, by reason");
    add_by_reason(families, part_of(report, "connects_failed"));
    families.begin(MetricType::Counter, "connects_refused_total",
                   "Connects to this domain that the agent refused, by reason");
    add_by_reason(families, part_of(report, "refused"));
    families.gauge("programs", "Programs with a session", value_of(part_of(report, "programs"), "sessions"));
    families.gauge("kept_ends", "Ends that are closed and kept for another use",
                   value_of(report, "kept_ends"));
}

void add_quotas(Families& families, const Json& quotas) {
    for (const Json& quota : quotas) {
        const std::string unit = word_of(quota, "unit");
        std::string name = word_of(quota, "name");
        if (unit == "pages") name += "_pages";
        const std::string suffix = unit == "bytes" ? "_bytes" : "";
        const std::string of = word_of(quota, "counts");
        families.gauge(name + "_used" + suffix, "In use: " + of, value_of(quota, "used"));
        families.gauge(name + "_limit" + suffix, "At most: " + of, value_of(quota, "limit"));
    }
}

void add_peer_family(Families& families, const Json& rows, const char* field) {
    std::size_t left = kMostPeerRows + 1;  // and the row of all others
    for (const Json& row : rows) {
        if (left-- == 0) return;
        families.row(value_of(row, field), labels_of_peer(row));
    }
}

void add_peers(Families& families, const Json& peers) {
    const auto gauge = [&](const char* name, const char* field, const char* help) {
        families.begin(MetricType::Gauge, name, help);
        add_peer_family(families, peers, field);
    };
    const auto counter = [&](const char* name, const char* field, const char* help) {
        families.begin(MetricType::Counter, name, help);
        add_peer_family(families, peers, field);
    };
    gauge("peer_ends", "ends", "Live ends of ring connections, by peer domain");
    gauge("peer_ends_limit", "limit", "How many of them there may be");
    gauge("peer_granted_pages", "granted_pages", "Pages that were granted to the peer");
    gauge("peer_mapped_pages", "mapped_pages", "Pages of the peer that slabs have here");
    counter("peer_storms_total", "storms", "Times that the peer sent without end, until it had to wait");
    counter("peer_bell_storms_total", "bell_storms", "Waits of programs in which the peer rang without end");
}

void add_data(Families& families, const Json& data) {
    const auto family = [&](const char* field, const char* help) {
        families.begin(MetricType::Counter, std::string("connection_") + field + "_total",
                       std::string(help) + ": ring connections of this domain, ended ones included");
        add_peer_family(families, data, field);
    };
    family("tx_bytes", "Bytes sent");
    family("rx_bytes", "Bytes received");
#define XYLEM_END_COUNTER(name, help) family(#name, help);
#include "control/agent/end_counters.def"
#undef XYLEM_END_COUNTER
}

void add_replies(Families& families, const Json& data) {
    families.begin(
        MetricType::Histogram, "reply_seconds",
        "From a send of a connecting end to the first bytes that came after it, of one in 16 or fewer");
    std::size_t left = kMostPeerRows + 1;
    for (const Json& row : data) {
        if (left-- == 0) return;
        families.histogram_row(part_of(row, "replies"), labels_of_peer(row));
    }
}

void add_pool(Families& families, const Json& pool) {
    families.gauge("pool_slabs", "Idle slabs that are kept for reuse", value_of(pool, "slabs"));
    families.gauge("pool_bytes", "Their size", value_of(pool, "bytes"));
    families.gauge("pool_waiting_slabs", "Slabs that wait for the far end to close",
                   value_of(pool, "waiting"));
    families.begin(MetricType::Counter, "pool_takes_total", "Slabs taken, from the pool (hit) or made anew");
    families.row(value_of(pool, "hits"), {{"result", "hit"}});
    families.row(value_of(pool, "misses"), {{"result", "miss"}});
}

void add_links(Families& families, const Json& links) {
    families.begin(MetricType::Gauge, "links", "Links with other agents, by direction and state");
    for (const char* direction : {"out", "in"}) {
        for (const char* state : {"greeting", "ready", "waiting"}) {
            const auto count = std::count_if(links.begin(), links.end(), [&](const Json& link) {
                return word_of(link, "direction") == direction && word_of(link, "state") == state;
            });
            families.row(static_cast<double>(count), {{"direction", direction}, {"state", state}});
        }
    }
}

}  // namespace

std::vector<MetricFamily> metric_families(const Json& statistics) {
    Families families;
    add_agent(families, statistics);
    add_connections(families, statistics);
    add_quotas(families, part_of(statistics, "quotas"));
    add_peers(families, part_of(statistics, "peers"));
    add_data(families, part_of(statistics, "data"));
    add_replies(families, part_of(statistics, "data"));
    add_pool(families, part_of(statistics, "pool"));
    add_links(families, part_of(statistics, "links"));
    return families.take();
}

}  // namespace xylem::agent
