// How a listener gets and loses its holders.
#pragma once

#include "control/agent/listeners.hpp"

namespace xylem::agent {

struct Agent;

void hold(Listener& listener, Session& session);
// Without any holder left the listener is gone, and who waited in its queue sees a reset, as with TCP.
// But it waits as an orphan if it is lent, and its kernel socket exists (orphans.hpp).
void let_go(Agent& agent, Listener& listener, Session& session);
// Descriptors of it may come to processes that do not say so.
void lend(Listener& listener);
void finish_listener(Agent& agent, ListenerId id);

}  // namespace xylem::agent
