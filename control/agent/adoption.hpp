// Who may have what other sessions hold already.
#pragma once

#include <algorithm>

#include "control/agent/agent.hpp"
#include "control/agent/end_closing.hpp"
#include "control/agent/listener_holding.hpp"

namespace xylem::agent {

// Whether the session may have what these sessions hold: it is the same user's. An exec()ed program takes
// it over from its own earlier image, which holds it no more.
inline bool may_adopt(const Agent& agent, const Session& session, const std::set<SessionId>& holders) {
    return std::any_of(holders.begin(), holders.end(), [&](SessionId id) {
        const SessionPtr holder = agent.sessions.find(id);
        return holder != nullptr && holder->uid == session.uid;
    });
}

// What the session holds now, the earlier image of its process holds no more.
template <class Held>
void take_from_limbo(Agent& agent, const Session& session, Held& held) {
    for (const SessionPtr& before : agent.sessions.in_limbo(session.process.pid())) {
        if (before->id != session.id && held.holders.count(before->id) != 0) let_go(agent, held, *before);
    }
}

}  // namespace xylem::agent
