// One message of a session: checked, then given to who handles its kind.
#pragma once

#include "control/agent/session.hpp"
#include "control/protocol/codec.hpp"
#include "control/protocol/reason.hpp"

namespace xylem::agent {

struct Agent;

inline constexpr unsigned kMaxMalformed = 3;  // messages that make no sense, and the session is over

void dispatch(Agent& agent, const SessionPtr& session, Received& message);
// Answers bad_request (or version_mismatch) and counts; ends the session at the third.
void refuse_malformed(Agent& agent, const SessionPtr& session, std::uint32_t request_id, Reason reason);

}  // namespace xylem::agent
