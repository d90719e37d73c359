// Doorbells of other guests that programs of this domain ring through us: kicks bring the token, and it goes
// on over the link.
#pragma once

#include <map>

#include "control/agent/event_loop.hpp"
#include "vsock-transport/base/unique_fd.hpp"

namespace xylem::agent {

struct Agent;

class RelayedBells {
  public:
    explicit RelayedBells(Agent& agent) : agent_(agent) {}

    // What a program kicks to ring any doorbell of that domain; -1: the system refuses.
    int kicker_for(std::uint32_t domain);

  private:
    struct Relay {
        UniqueFd waiter;
        UniqueFd kicker;
        Watch watch;
    };
    void on_kick(std::uint32_t domain, int waiter_fd);

    Agent& agent_;
    std::map<std::uint32_t, Relay> relays_;  // by domain
};

}  // namespace xylem::agent
