// What becomes of what a session holds when its program hangs up (session.hpp draws the states).
#pragma once

#include "control/agent/session.hpp"
#include "vsock-transport/base/clock.hpp"

namespace xylem::agent {

struct Agent;

// A program that exec()ed adopts what it still has within this time of its new hello.
inline constexpr std::uint64_t kAdoptionNs = 2 * kNsPerSecond;

// The session's process is the one that speaks; pid 0 where the kernel cannot say. Whether it is another now.
bool note_speaker(Session& session, pid_t pid);
// The session hung up: into limbo, if its process lives and may be exec()ing, else everything is let go.
void reap(Agent& agent, const SessionPtr& session);
// Lets go of everything and forgets the session.
void bury(Agent& agent, const SessionPtr& session);
// A process said hello anew: what it holds in limbo waits for adoption, for a while.
void start_adoption(Agent& agent, pid_t pid);
// The session holds what `from` holds, too (fork).
void share_holdings(Agent& agent, Session& from, Session& with);

}  // namespace xylem::agent
