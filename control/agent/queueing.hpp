// How an accepting end comes into a listener's queue, and leaves it.
#pragma once

#include <map>
#include <set>

#include "control/agent/ends.hpp"
#include "control/agent/event_loop.hpp"
#include "control/agent/listeners.hpp"

namespace xylem::agent {

struct Agent;

// False where the queue takes no more; the end is as before.
bool enqueue(Agent& agent, Listener& listener, End& end);
// It waits no more: a program has it, or it is gone.
void leave_queue(Agent& agent, End& end);

// A process that took an end out of the queue, and died before it said so, leaves one that nobody has. When
// a holder of a listener is gone, its queue is looked through: what waits according to the agent's books, and
// lies in the queue neither now nor a while later, is ended.
class LostInAcceptance {
  public:
    explicit LostInAcceptance(Agent& agent) : agent_(agent) {}

    void doubt(const Listener& listener);

  private:
    void look();
    // Whether something was missing, and may yet be said to be accepted.
    bool look_at(ListenerId id, std::set<EndId>& missing);

    Agent& agent_;
    std::map<ListenerId, std::set<EndId>> doubtful_;  // with what was missing the last time
    Watch timer_;
};

}  // namespace xylem::agent
