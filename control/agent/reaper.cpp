// Reaper. A hang-up alone does not say whether a process died, or closed its session by exec() and goes on
// with the descriptors that it kept. So while the process (a pidfd, never a number) lives, what it held stays
// in limbo: until it dies, or until its new program image said hello and had time to adopt.
//
// Doorbells go at the hang-up in any case: no thread of the old image waits on them any more.
#include "control/agent/reaper.hpp"

#include <spdlog/spdlog.h>

#include "control/agent/agent.hpp"
#include "control/agent/end_closing.hpp"
#include "control/agent/listener_holding.hpp"
#include "control/agent/vsock_ports.hpp"

namespace xylem::agent {
namespace {

void drop_bells(Agent& agent, Session& session) {
    for (const EndId id : session.ends) {
        if (End* end = agent.ends.find(id)) release_waiters(*end, session.bells);
    }
    for (const std::uint32_t bell : session.bells) agent.bells.erase(bell);
    session.bells.clear();
}

// Made by a parent for a child that never used it: whether the child lives cannot be known, nor who it is.
bool is_unclaimed_clone(const Session& session) {
    return session.is_clone && session.process.pid() == session.dialler_pid;
}

}  // namespace

void note_speaker(Session& session, pid_t pid) {
    if (pid == session.process.pid() && pid != 0) return;
    session.process = Process(pid);
}

void reap(Agent& agent, const SessionPtr& session) {
    drop_bells(agent, *session);
    const bool may_come_back = session->state == SessionState::open && session->holds_anything() &&
                               !is_unclaimed_clone(*session) && session->process.is_alive();
    if (!may_come_back) return bury(agent, session);
    const std::weak_ptr<Session> weak = session;
    session->death_watch = agent.loop.on_ready(session->process.fd(), EPOLLIN, [&agent, weak](std::uint32_t) {
        if (const SessionPtr dead = weak.lock()) bury(agent, dead);
    });
    if (!session->death_watch || !session->become(SessionState::limbo)) return bury(agent, session);
}

void bury(Agent& agent, const SessionPtr& session) {
    drop_bells(agent, *session);
    while (!session->ends.empty()) {
        const EndId id = *session->ends.begin();
        session->ends.erase(id);
        if (End* end = agent.ends.find(id)) let_go(agent, *end, *session, CloseMode::orderly);
    }
    while (!session->listeners.empty()) {
        const ListenerId id = *session->listeners.begin();
        session->listeners.erase(id);
        if (Listener* listener = agent.listeners.find(id)) let_go(agent, *listener, *session);
    }
    while (!session->vsock_ports.empty()) {
        const std::uint32_t port = *session->vsock_ports.begin();
        session->vsock_ports.erase(port);
        if (BoundPort* bound = agent.vsock_ports.find(port)) let_go(agent, *bound, *session);
    }
    agent.sessions.forget(session);
}

void start_adoption(Agent& agent, pid_t pid) {
    for (const SessionPtr& session : agent.sessions.in_limbo(pid)) {
        const std::weak_ptr<Session> weak = session;
        session->adoption_timer = agent.loop.after(kAdoptionNs, [&agent, weak] {
            if (const SessionPtr late = weak.lock()) bury(agent, late);
        });
    }
}

void share_holdings(Agent& agent, Session& from, Session& with) {
    for (const EndId id : from.ends) {
        if (End* end = agent.ends.find(id)) hold(*end, with);
    }
    for (const ListenerId id : from.listeners) {
        if (Listener* listener = agent.listeners.find(id)) hold(*listener, with);
    }
    for (const std::uint32_t port : from.vsock_ports) {
        if (BoundPort* bound = agent.vsock_ports.find(port)) hold(*bound, with);
    }
}

}  // namespace xylem::agent
