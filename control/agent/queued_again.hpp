// Connections of this domain that waited in an accept queue whose agent died: they are offered to the next
// one, with all that was sent into them.
#pragma once

#include <map>

#include "control/agent/ends.hpp"
#include "control/agent/event_loop.hpp"
#include "control/protocol/reason.hpp"

namespace xylem::agent {

struct Agent;

class QueuedAgain {
  public:
    explicit QueuedAgain(Agent& agent) : agent_(agent) {}

    // Nobody has the far end. False: the connection was accepted once, or is not ours to offer.
    bool take(const End& end);

  private:
    void offer_all();
    void offer(EndId id);
    void on_answer(EndId id, Reason reason);

    struct Waiting {
        std::uint64_t until_ns;
        bool is_asked = false;
    };

    Agent& agent_;
    std::map<EndId, Waiting> waiting_;  // in the order in which they were made, and waited
    Watch timer_;
};

}  // namespace xylem::agent
