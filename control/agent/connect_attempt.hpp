// One connect of a program of this domain, from the question to its answer, which may have to come from
// another agent.
#pragma once

#include <functional>

#include "control/agent/kernel_socket.hpp"
#include "control/agent/session.hpp"
#include "control/agent/slab_pool.hpp"
#include "control/protocol/link_protocol.h"
#include "control/protocol/reason.hpp"
#include "vsock-transport/stream/region.hpp"

namespace xylem::agent {

struct Agent;

struct ConnectAttempt {
    EndIdentity identity{};  // of the connecting end; end_id is given later
    SocketName source{};     // as the far agent is told
    SocketName destination{};
    SlabPtr slab;           // null: a dry run
    bool is_small = false;  // there were pages for small rings only: for this use, not for later ones
    KernelSocket socket;
};

// Decides everything that this side can decide. Reason::ring: ask the far side.
Reason prepare(Agent& agent, const ConnectMessage& ask, ConnectAttempt& attempt);

// Asks the accepting side, be it another agent or this one. decided(reason, is_certain) is called once, from
// here or later. Not certain: the far side may have made its end all the same.
using Decided = std::function<void(Reason reason, bool is_certain)>;
void ask_accepting_side(Agent& agent, const ConnectAttempt& attempt, Decided decided);

}  // namespace xylem::agent
