// What a session can ask, one function a kind of message, one file a family of kinds (handle_*.cpp).
// A handler may believe that the message has its kind's length and at most its kind's number of descriptors,
// that the session has said hello (but for handle_hello and handle_bypass), and that a question whose answer
// gives something away has a request id. Nothing else.
#pragma once

#include "control/agent/session.hpp"
#include "control/protocol/codec.hpp"

namespace xylem::agent {

struct Agent;

void handle_hello(Agent& agent, const SessionPtr& session, Received& message);
void handle_get_map(Agent& agent, const SessionPtr& session, Received& message);
void handle_listen(Agent& agent, const SessionPtr& session, Received& message);
void handle_unlisten(Agent& agent, const SessionPtr& session, Received& message);
void handle_accepted(Agent& agent, const SessionPtr& session, Received& message);
void handle_connect(Agent& agent, const SessionPtr& session, Received& message);
void handle_release(Agent& agent, const SessionPtr& session, Received& message);
void handle_bell_new(Agent& agent, const SessionPtr& session, Received& message);
void handle_bell_free(Agent& agent, const SessionPtr& session, Received& message);
void handle_bell_find(Agent& agent, const SessionPtr& session, Received& message);
void handle_bell_ring(Agent& agent, const SessionPtr& session, Received& message);
void handle_adopt(Agent& agent, const SessionPtr& session, Received& message);
void handle_rejoin(Agent& agent, const SessionPtr& session, Received& message);
void handle_bind(Agent& agent, const SessionPtr& session, Received& message);
void handle_unbind(Agent& agent, const SessionPtr& session, Received& message);
void handle_lend(Agent& agent, const SessionPtr& session, Received& message);
void handle_run(Agent& agent, const SessionPtr& session, Received& message);
void handle_bypass(Agent& agent, const SessionPtr& session, Received& message);
void handle_capture(Agent& agent, const SessionPtr& session, Received& message);
void handle_query(Agent& agent, const SessionPtr& session, Received& message);

}  // namespace xylem::agent
