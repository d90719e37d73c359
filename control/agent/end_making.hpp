// How an end comes to be.
#pragma once

#include "control/agent/ends.hpp"
#include "control/protocol/reason.hpp"

namespace xylem::agent {

struct Agent;

// Makes the end page and enters the end, without holders. identity.end_id is filled in here. Null, and the
// reason in `why`, where a quota or the system refuses.
End* make_end(Agent& agent, EndIdentity identity, std::uint32_t connecting_domain, SlabPtr slab,
              std::uint64_t cookie, Reason& why);

}  // namespace xylem::agent
