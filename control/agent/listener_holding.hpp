// How a listener gets and loses its holders.
#pragma once

#include "control/agent/listeners.hpp"

namespace xylem::agent {

struct Agent;

void hold(Listener& listener, Session& session);
// Without any holder left the listener is gone, and who waited in its queue sees a reset, as with TCP.
void let_go(Agent& agent, Listener& listener, Session& session);

}  // namespace xylem::agent
