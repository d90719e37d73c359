// Ends whose far end went unsaid: its agent died first, and then its programs.
#pragma once

#include <set>

#include "control/agent/ends.hpp"
#include "control/agent/event_loop.hpp"

namespace xylem::agent {

struct Agent;

class LeftBehind {
  public:
    explicit LeftBehind(Agent& agent) : agent_(agent) {}

    // The domain's agent hung up: from now on the far ends of our connections with it are looked at.
    void doubt(std::uint32_t domain);
    // A guest that shared granted pages with us was destroyed.
    void on_guest_gone(std::uint32_t domain);

  private:
    void end_for_far_side(const ConnectionKey& key, std::uint32_t peer_domain);
    void look();
    bool look_at(EndId id);
    void look_after(std::uint64_t delay_ns);

    Agent& agent_;
    std::set<EndId> doubtful_;
    EndId last_ = 0;  // looked at in this round
    std::uint64_t pause_ns_ = 0;
    Watch timer_;
};

}  // namespace xylem::agent
