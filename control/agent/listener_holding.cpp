// Holding listeners: like ends, they live as long as some session holds them.
#include "control/agent/listener_holding.hpp"

#include "control/agent/agent.hpp"
#include "control/agent/end_closing.hpp"

namespace xylem::agent {

void hold(Listener& listener, Session& session) {
    listener.is_orphan = false;
    listener.holders.insert(session.id);
    session.listeners.insert(listener.id);
}

void let_go(Agent& agent, Listener& listener, Session& session) {
    session.listeners.erase(listener.id);
    listener.holders.erase(session.id);
    if (!listener.holders.empty()) return;
    listener.is_orphan = listener.is_lent && listener.socket.exists();
    if (listener.is_orphan) return agent.orphans.add(listener);
    finish_listener(agent, listener.id);
}

void lend(Listener& listener) { listener.is_lent = true; }

void finish_listener(Agent& agent, ListenerId id) {
    Listener* listener = agent.listeners.find(id);
    if (listener == nullptr) return;
    const std::set<EndId> waiting = std::move(listener->waiting);
    agent.listeners.erase(id);
    for (const EndId end : waiting) finish(agent, end, CloseMode::abort);
}

}  // namespace xylem::agent
