// How an end loses its holders, and what happens to it then.
#pragma once

#include "control/agent/ends.hpp"
#include "vsock-transport/stream/stream.hpp"

namespace xylem::agent {

struct Agent;

// The session holds the end (from now on).
void hold(End& end, Session& session);
// The session holds it no more; without any holder left, the end is finished, or waits as an orphan if it is
// lent and its kernel socket exists (orphans.hpp).
void let_go(Agent& agent, End& end, Session& session, CloseMode mode = CloseMode::orderly);
// Descriptors of it may come to processes that do not say so: one holder more.
void lend(End& end);
// Closes the end for a holder that could not, tells the far agent, forgets it. `end` is gone afterwards.
void finish(Agent& agent, EndId end, CloseMode mode);
// Ends a connection whose end never came to be: whoever got the far end sees a reset. What the peer was told
// of is charged to it until it says that it has no end.
void abandon(Agent& agent, const EndIdentity& identity, const SlabPtr& slab);
// The far end is gone, as its agent says, or as was found out. vanished: nothing could be published about it.
enum class FarEnd : std::uint8_t { published, vanished };
void far_end_over(Agent& agent, const ConnectionKey& own_end, std::uint32_t peer_domain, FarEnd how);
// What could not be shown to the end's holders then (left_behind.hpp). False: nor can it be now; else `end`
// may be gone afterwards.
[[nodiscard]] bool show_again(Agent& agent, End& end);
// Frees the waiter slots that a process left behind when it died.
void release_waiters(End& end, const std::set<std::uint32_t>& doorbells);

}  // namespace xylem::agent
