// MetricsEndpoint: scrapers get what is left of the agent's time. Their sockets are looked at when nothing
// else is due, there are few of them, one is accepted a turn, so that the others get theirs in between, and
// gathering figures is done seldom: whatever scrapers do, a program waits for one such turn at most.
#include "control/agent/metrics/metrics_endpoint.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "control/agent/agent.hpp"
#include "control/agent/report.hpp"

namespace xylem::agent {

std::unique_ptr<MetricsEndpoint> MetricsEndpoint::open(const Agent& agent, EventLoop& loop,
                                                       const std::string& address) {
    const auto parsed = parse_metrics_address(address);
    if (!parsed) return nullptr;
    std::string error;
    std::unique_ptr<MetricsEndpoint> endpoint(new MetricsEndpoint(agent, loop, *parsed, error));
    if (!endpoint->watch_) {
        spdlog::error("--metrics {}: cannot serve figures there: {}", address, error);
        return nullptr;
    }
    spdlog::info("figures for Prometheus: {}", endpoint->socket_.text());
    return endpoint;
}

MetricsEndpoint::MetricsEndpoint(const Agent& agent, EventLoop& loop, const MetricsAddress& address,
                                 std::string& error)
    : agent_(agent), loop_(loop), socket_(address, error) {
    if (!socket_) return;
    watch_ = loop.on_ready(socket_.fd(), EPOLLIN, [this](std::uint32_t) {
        acceptor_.accept_from(
            socket_.fd(), [this](UniqueFd connected) { take(std::move(connected)); }, 1);
    });
    watch_.come_last();
}

void MetricsEndpoint::take(UniqueFd connected) {
    if (scrapes_.size() == kMostScrapes) {
        if (now_ns() - scrapes_.front().began_ns() < kLeastNs) return;
        scrapes_.pop_front();
    }
    const auto place =
        scrapes_.emplace(scrapes_.end(), loop_, std::move(connected), [this] { return figures(); });
    place->on_over([this, place] { scrapes_.erase(place); });
    if (!place->is_watched()) scrapes_.erase(place);
}

SharedText MetricsEndpoint::figures() {
    const std::uint64_t begin_ns = now_ns();
    if (text_ == nullptr || begin_ns >= fresh_until_ns_) {
        text_ = std::make_shared<const std::string>(metrics_.text_of(report_statistics(agent_)));
        const std::uint64_t took_ns = now_ns() - begin_ns;
        fresh_until_ns_ = begin_ns + std::max(kFreshNs, kFreshTimes * took_ns);
    }
    return text_;
}

}  // namespace xylem::agent
