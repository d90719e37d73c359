// Ends whose far end went unsaid: its agent died first, and then its programs.
#pragma once

#include <map>

#include "control/agent/ends.hpp"
#include "control/agent/event_loop.hpp"

namespace xylem::agent {

struct Agent;

class LeftBehind {
  public:
    explicit LeftBehind(Agent& agent) : agent_(agent) {}

    // The domain's agent hung up: from now on the far ends of our connections with it are looked at.
    void doubt(std::uint32_t domain);
    // A program named it to this agent, which has no memory of it: whether the bridge still has its far side,
    // or the guest is still there.
    void doubt_rejoined(const End& end);
    // A guest that shared granted pages with us took its node away, or was destroyed.
    void on_guest_gone(std::uint32_t domain);
    // It is known that the far end vanished, but its memory could not be had to show that.
    void show_later(const End& end);

  private:
    struct Doubt {
        std::uint64_t since_ns = 0;  // the far side was there, as far as we know
        bool is_offered = false;
        bool is_missed = false;  // at the last look
        bool is_sure = false;    // nobody has the far side; its holders are to be shown that
    };

    void end_for_far_side(const ConnectionKey& key, std::uint32_t peer_domain);
    void look();
    bool look_at(EndId id, Doubt& doubt);
    void look_soon();
    void look_after(std::uint64_t delay_ns);
    bool may_return(const End& end, Doubt& doubt);
    void offer(const End& end);
    void on_offered(EndId id, Received* answer);

    Agent& agent_;
    std::map<EndId, Doubt> doubtful_;
    EndId last_ = 0;  // looked at in this round
    std::uint64_t pause_ns_ = 0;
    bool waits_for_bridge_ = false;  // some of this round
    Watch timer_;
    std::uint64_t due_ns_ = 0;  // the timer's
};

}  // namespace xylem::agent
