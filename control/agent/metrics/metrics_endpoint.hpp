// The agent's figures for Prometheus, over HTTP: xylemd --metrics. In the agent's own thread, after
// everything else that is due.
#pragma once

#include <list>
#include <memory>
#include <string>

#include "control/agent/metrics/metrics_address.hpp"
#include "control/agent/metrics/metrics_text.hpp"
#include "control/agent/metrics/scrape.hpp"
#include "control/protocol/accepting.hpp"

namespace xylem::agent {

struct Agent;

class MetricsEndpoint {
  public:
    // A newcomer beyond that takes the place of the oldest one that has had its least time, else it is
    // closed: an honest scraper sends its request at once, and is answered in a turn or two.
    static constexpr std::size_t kMostScrapes = 8;
    static constexpr std::uint64_t kLeastNs = 100 * kNsPerMs;
    // Figures are gathered once in so long, however many ask, and once in so many times as gathering them
    // took: it is one turn, in which no program is served, so that all scrapers together cost programs 2 %.
    static constexpr std::uint64_t kFreshNs = kNsPerSecond / 2;
    static constexpr std::uint64_t kFreshTimes = 50;

    // Serves from here on; where it cannot, that is logged, and the agent goes on without. Null then, and for
    // an empty address.
    static std::unique_ptr<MetricsEndpoint> open(const Agent& agent, EventLoop& loop,
                                                 const std::string& address);

  private:
    MetricsEndpoint(const Agent& agent, EventLoop& loop, const MetricsAddress& address, std::string& error);
    void take(UniqueFd connected);
    SharedText figures();

    const Agent& agent_;
    EventLoop& loop_;
    MetricsSocket socket_;
    MetricsText metrics_;
    SharedText text_;
    std::uint64_t fresh_until_ns_ = 0;
    std::list<Scrape> scrapes_;  // the oldest first
    Acceptor acceptor_;
    Watch watch_;
};

}  // namespace xylem::agent
