// Ends an agent that nobody needs any more: one that `xylem run` started.
#pragma once

#include "control/agent/event_loop.hpp"

namespace xylem::agent {

struct Agent;

class Idle {
  public:
    // Does nothing unless the settings name a time.
    explicit Idle(Agent& agent);

  private:
    void look();

    Agent& agent_;
    Watch timer_;
};

}  // namespace xylem::agent
