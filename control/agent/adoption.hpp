// Who may have what other sessions hold already.
#pragma once

#include <algorithm>
#include <set>

#include "control/agent/agent.hpp"

namespace xylem::agent {

// Whether the session may have what these sessions hold: it is the same user's. An exec()ed program takes
// it over from its own earlier image, which holds it no more.
inline bool may_adopt(const Agent& agent, const Session& session, const std::set<SessionId>& holders) {
    return std::any_of(holders.begin(), holders.end(), [&](SessionId id) {
        const SessionPtr holder = agent.sessions.find(id);
        return holder != nullptr && holder->uid == session.uid;
    });
}

}  // namespace xylem::agent
