// Bridge: what it counts, as JSON to whoever connects to bridge.stat (`xylem stat`); control/README.md has
// the fields.
#include <sys/socket.h>

#include <nlohmann/json.hpp>

#include "control/protocol/runtime_paths.hpp"
#include "rdma-bridge/bridge.hpp"
#include "vsock-transport/base/clock.hpp"

namespace xylem::bridge {
namespace {

constexpr std::size_t kMostLinks = 256;  // what a socket's buffer holds for sure
constexpr std::uint64_t kSameReportNs = 100 * kNsPerMs;

nlohmann::json link_report(const Node& node, bool is_dialled) {
    std::size_t cut = 0;
    for (const auto& [number, connection] : node.connections) cut += connection->is_cut ? 1 : 0;
    nlohmann::json row{{"node", node.text},
                       {"direction", is_dialled ? "out" : "in"},
                       {"state", node.link != nullptr ? "ready" : "waiting"},
                       {"connections", node.connections.size()},
                       {"cut", cut}};
    if (node.link == nullptr) return row;
    const WireCounters& counters = node.link->wire().counters();
    row["over"] = node.link->wire().name();
    row["age_seconds"] = (now_ns() - node.ready_ns) / kNsPerSecond;
    row["bytes_sent"] = node.link->bytes_sent;
    row["bytes_received"] = node.link->bytes_received;
    row["messages_sent"] = counters.sent;
    row["messages_received"] = counters.received;
    row["writes"] = counters.writes;
    row["completions"] = counters.completions;
    row["events"] = counters.events;
    return row;
}

}  // namespace

bool Bridge::serve_reports(std::string& error) {
    begin_ns_ = now_ns();
    report_socket_ = listen_at(bridge_report_socket().text, SOCK_STREAM, error);
    if (!report_socket_) return false;
    poller_.add(report_socket_.get(), EPOLLIN, [this](std::uint32_t) { on_reader(); });
    return true;
}

// The kernel keeps what the reader has not read yet; nothing here waits for it. Whoever asks without end gets
// the same again for a while.
void Bridge::on_reader() {
    const auto answer = [this](const UniqueFd& reader) {
        if (report_text_.empty() || now_ns() - reported_ns_ > kSameReportNs) {
            report_text_ = report().dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
            reported_ns_ = now_ns();
        }
        ::send(reader.get(), report_text_.data(), report_text_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    };
    acceptor_.accept_from(report_socket_.get(), answer, 1);
}

nlohmann::json Bridge::report() const {
    nlohmann::json links = nlohmann::json::array();
    std::size_t left_out = 0;
    for (const auto* nodes : {&dialled_, &reached_by_}) {
        for (const auto& [text, node] : *nodes) {
            const bool has_room = links.size() < kMostLinks;
            if (has_room) links.push_back(link_report(node, nodes == &dialled_));
            left_out += has_room ? 0 : 1;
        }
    }
    nlohmann::json all{{"listen", settings_.listen},
                       {"port", settings_.port},
                       {"dials_over", verbs_ != nullptr ? "RDMA" : "TCP"},
                       {"uptime_seconds", (now_ns() - begin_ns_) / kNsPerSecond},
                       {"connections", connections_.size()},
                       {"links", std::move(links)},
                       {"links_left_out", left_out}};
    all["why_tcp"] = verbs_ != nullptr ? nlohmann::json() : nlohmann::json(why_tcp_);
    all["pinned_bytes"] = verbs_ != nullptr ? verbs_->pinned().ring_bytes() : 0;
    all["most_pinned_bytes"] = verbs_ != nullptr ? verbs_->pinned().most_ring_bytes() : 0;
    return all;
}

}  // namespace xylem::bridge
