// listen, unlisten, accepted: a program's listeners and their queues. A listener is known by the cookie of
// its kernel socket; whoever shares that socket (fork, SCM_RIGHTS) shares the listener and its queue.
#include "control/agent/agent.hpp"
#include "control/agent/answers.hpp"
#include "control/agent/end_closing.hpp"
#include "control/agent/handlers.hpp"
#include "control/agent/listener_holding.hpp"
#include "control/agent/names.hpp"
#include "control/agent/session_dispatch.hpp"

namespace xylem::agent {
namespace {

// An AF_VSOCK listener has its port from here; other families have theirs from the kernel.
bool owns_vsock_port(const Agent& agent, const Session& session, const ListenMessage& ask) {
    if (ask.local.family != AF_VSOCK) return true;
    const BoundPort* bound = agent.vsock_ports.find(ask.local.port);
    return bound != nullptr && bound->cookie == ask.cookie && bound->holders.count(session.id) != 0 &&
           same_address(bound->local, ask.local);
}

// The kernel socket that the program made for an accepted end. Its cookie is the kernel's word.
void note_socket(Agent& agent, End& end, const Received& message) {
    end.socket = shown_socket(message, 0);
    if (end.socket) agent.ends.name_cookie(end, end.socket.cookie());
}

}  // namespace

void handle_listen(Agent& agent, const SessionPtr& session, Received& message) {
    const ListenMessage ask = *message.as<ListenMessage>();
    const std::uint32_t request_id = ask.header.request_id;
    if (!is_known_family(ask.local) || !names_port(ask.local) || ask.cookie == 0 ||
        !owns_vsock_port(agent, *session, ask) ||
        (message.fds[1] && !is_unix_datagram(message.fds[1].get()))) {
        return refuse_malformed(agent, session, request_id, Reason::bad_request);
    }
    Listener* listener = agent.listeners.find_cookie(ask.cookie);
    if (listener == nullptr) {
        listener = agent.listeners.add(ask.cookie, cleaned(ask.local), (ask.flags & kListenV6Only) != 0,
                                       ask.backlog, AcceptQueue(std::move(message.fds[1])));
    }
    if (listener == nullptr) return answer_failed(agent, *session, request_id, Reason::quota_reached);
    if (!listener->socket) listener->socket = shown_socket(message, ask.cookie);
    listener->backlog = Listeners::clamp_backlog(ask.backlog);
    hold(*listener, *session);
    ++agent.counters.listens;
    answer_listening(agent, *session, request_id, *listener);
}

void handle_unlisten(Agent& agent, const SessionPtr& session, Received& message) {
    const ListenerId id = message.as<IdMessage>()->id;
    if (session->listeners.count(id) == 0) return;
    if (Listener* listener = agent.listeners.find(id)) let_go(agent, *listener, *session);
}

void handle_accepted(Agent& agent, const SessionPtr& session, Received& message) {
    const AcceptedMessage said = *message.as<AcceptedMessage>();
    End* end = agent.ends.find(said.end_id);
    const bool may_have = end != nullptr && end->queued_at == said.listener_id &&
                          session->listeners.count(said.listener_id) != 0;
    if (!may_have) return;
    leave_queue(agent, *end);
    note_socket(agent, *end, message);
    hold(*end, *session);
    end->run_id = session->run_id;
    ++agent.counters.accepts;
}

void handle_lend(Agent& agent, const SessionPtr& session, Received& message) {
    const IdMessage ask = *message.as<IdMessage>();
    for (const EndId id : session->ends) {
        End* end = agent.ends.find(id);
        if (end != nullptr && (ask.id == 0 || end->cookie == ask.id)) lend(*end);
    }
    for (const ListenerId id : session->listeners) {
        Listener* listener = agent.listeners.find(id);
        if (listener != nullptr && (ask.id == 0 || listener->cookie == ask.id)) lend(*listener);
    }
    for (const std::uint32_t port : session->vsock_ports) {
        BoundPort* bound = agent.vsock_ports.find(port);
        if (bound != nullptr && (ask.id == 0 || bound->cookie == ask.id)) lend(*bound);
    }
    answer(agent, *session, make_answer<PlainMessage>(SessionMessage::done, ask.header.request_id));
}

void handle_release(Agent& agent, const SessionPtr& session, Received& message) {
    const ReleaseMessage ask = *message.as<ReleaseMessage>();
    if (session->ends.count(ask.end_id) == 0) return;
    ++agent.counters.releases;
    const bool disconnect = ask.mode == static_cast<std::uint32_t>(ReleaseMode::disconnect);
    const bool abort = ask.mode == static_cast<std::uint32_t>(ReleaseMode::abort);
    End* end = agent.ends.find(ask.end_id);
    if (end != nullptr && disconnect) {
        session->ends.erase(ask.end_id);
        return finish(agent, ask.end_id, CloseMode::abort);
    }
    if (end != nullptr) let_go(agent, *end, *session, abort ? CloseMode::abort : CloseMode::orderly);
}

}  // namespace xylem::agent
