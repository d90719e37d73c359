// What the data path has counted, in sums that only grow: by peer domain what ring connections moved, with
// those that ended, and by reason how many connections of programs took which transport. A connection or a
// program adds to them once, as it ends; what is still there is added for each report.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "control/agent/ends.hpp"
#include "control/protocol/reason.hpp"

namespace xylem::agent {

// Of one end, or of several.
struct DataFigures {
    void add(const End& end);

    std::uint64_t tx_bytes = 0;
    std::uint64_t rx_bytes = 0;
#define XYLEM_END_COUNTER(name, help) std::uint64_t name = 0;
#include "control/agent/end_counters.def"
#undef XYLEM_END_COUNTER
    std::uint64_t replies_ns = 0;
    std::uint64_t replies[kLatencyBuckets] = {};
};

class DataSums {
  public:
    // Peers with figures of their own. Those that come after share one row: figures of a peer are in the same
    // row for as long as the agent lives.
    static constexpr std::size_t kMostPeers = 256;

    // A connection with that peer begins.
    void know(std::uint32_t peer_domain) { (void)row(peer_domain); }
    // The end as it is now. Once only, unless this is a copy.
    void add(const End& end) { row(end.identity.peer_domain).add(end); }
    const std::map<std::uint32_t, DataFigures>& by_peer() const { return by_peer_; }
    const DataFigures& of_others() const { return of_others_; }

  private:
    DataFigures& row(std::uint32_t peer_domain) {
        const auto found = by_peer_.find(peer_domain);
        if (found != by_peer_.end()) return found->second;
        return by_peer_.size() < kMostPeers ? by_peer_[peer_domain] : of_others_;
    }
    std::map<std::uint32_t, DataFigures> by_peer_;
    DataFigures of_others_;
};

// By what programs wrote into their session pages.
struct ConnectionSums {
    void add(const Session& session);

    std::uint64_t ring = 0;
    std::uint64_t tcp[kReasonCount] = {};  // by Reason
};

}  // namespace xylem::agent
