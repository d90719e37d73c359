// Ends that were closed in order and kept by their process, for another use of the same connection
// (vsock-transport/stream/reuse.cpp). To the agent they are ends like others; it ends the keeping where the
// process cannot know that there is nothing to wait for.
#pragma once

#include "control/agent/counters.hpp"
#include "control/agent/ends.hpp"

namespace xylem::agent {

struct Agent;

// How often the connection was used after its first time.
std::uint32_t uses_again(const End& end);
// Adds them, of a connecting end: beside the connections that were asked for.
void count_uses(Counters& counters, const End& end);
bool is_kept(const End& end);
// Nobody holds the end any more. Whether a caller waited in it who waits in its listener's queue from now on.
bool queue_caller(Agent& agent, End& end);
// The far end of the connection is gone: own_end, if it is kept and no caller waits in it, is finished.
void leave_kept(Agent& agent, const ConnectionKey& own_end, std::uint32_t peer_domain);
// What may connect to what has changed: no end is used again, kept ones are finished.
void revoke_keeping(Agent& agent);

}  // namespace xylem::agent
