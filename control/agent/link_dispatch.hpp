// One message of a link: checked, then given to who handles its kind.
#pragma once

#include "control/agent/link.hpp"

namespace xylem::agent {

struct Agent;

struct LinkDispatch {
    // Breaks the link where the message makes no sense.
    static void dispatch(Agent& agent, const LinkPtr& link, Received& message);
};

}  // namespace xylem::agent
