// Reaper. A hang-up alone does not say whether a process died, or closed its session by exec() and goes on
// with the descriptors that it kept, or some of them, or handed them on. Where the agent was shown the kernel
// socket of what it held, the kernel knows: that is lent, and without another holder it lives as an orphan as
// long as that socket (orphans.cpp). For the rest: while the process (a pidfd, never a number) lives, what it
// held stays in limbo, until it dies, or until its new program image said hello and had time to adopt.
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

// Everything that the session holds; visit may let go of it.
template <class Visit>
void for_each_held(Agent& agent, const Session& session, Visit visit) {
    const auto each = [&visit](const auto& ids, auto& table) {
        for (const auto id : std::vector(ids.begin(), ids.end())) {
            if (auto* held = table.find(id)) visit(*held);
        }
    };
    each(session.ends, agent.ends);
    each(session.listeners, agent.listeners);
    each(session.vsock_ports, agent.vsock_ports);
}

void drop_bells(Agent& agent, Session& session) {
    for (const EndId id : session.ends) {
        if (End* end = agent.ends.find(id)) release_waiters(*end, session.bells);
    }
    for (const std::uint32_t bell : session.bells) agent.free_bell(bell);
    session.bells.clear();
}

// Made by a parent for a child that never used it: whether the child lives cannot be known, nor who it is.
bool is_unclaimed_clone(const Session& session) {
    return session.is_clone && session.process.pid() == session.dialler_pid;
}

// What has a kernel socket is in the kernel's hands from here on.
void let_go_of_shown(Agent& agent, Session& session) {
    for_each_held(agent, session, [&](auto& held) {
        if (!held.socket) return;
        lend(held);
        let_go(agent, held, session);
    });
}

}  // namespace

bool note_speaker(Session& session, pid_t pid) {
    if (pid == session.process.pid() && pid != 0) return false;
    session.process = Process(pid);
    return true;
}

void reap(Agent& agent, const SessionPtr& session) {
    drop_bells(agent, *session);
    for (const ListenerId id : session->listeners) {
        if (const Listener* listener = agent.listeners.find(id)) agent.lost_in_acceptance.doubt(*listener);
    }
    let_go_of_shown(agent, *session);
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
    for_each_held(agent, *session, [&](auto& held) { let_go(agent, held, *session); });
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
    for_each_held(agent, from, [&with](auto& held) { hold(held, with); });
}

}  // namespace xylem::agent
