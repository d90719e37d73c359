// bind, unbind: the AF_VSOCK ports of this domain's sockets. Whoever has the socket (fork, exec, SCM_RIGHTS)
// holds its port too: it names the same cookie again, and shows the socket, or is the same user's.
#include <errno.h>
#include <sys/socket.h>

#include "control/agent/adoption.hpp"
#include "control/agent/agent.hpp"
#include "control/agent/answers.hpp"
#include "control/agent/handlers.hpp"
#include "control/agent/names.hpp"
#include "control/agent/session_dispatch.hpp"

namespace xylem::agent {
namespace {

void answer_bound(Agent& agent, Session& session, std::uint32_t request_id, BoundPort& bound) {
    hold(bound, session);
    auto message = make_answer<BoundMessage>(SessionMessage::bound, request_id);
    message.local = bound.local;
    answer(agent, session, message);
}

bool is_own_cid(const Agent& agent, const SocketName& name) {
    return is_wildcard(name) || cid_of(name) == agent.settings.domain;
}

}  // namespace

void handle_bind(Agent& agent, const SessionPtr& session, Received& message) {
    const BindMessage ask = *message.as<BindMessage>();
    const std::uint32_t request_id = ask.header.request_id;
    if (ask.local.family != AF_VSOCK || ask.cookie == 0) {
        return refuse_malformed(agent, session, request_id, Reason::bad_request);
    }
    BoundPort* known = agent.vsock_ports.find_cookie(ask.cookie);
    const bool has_shown = shown_cookie(message) == ask.cookie;
    if (known != nullptr && (has_shown || may_adopt(agent, *session, known->holders))) {
        hold(*known, *session);
        take_from_limbo(agent, *session, *known);
        return answer_bound(agent, *session, request_id, *known);
    }
    if ((ask.flags & kBindRecall) != 0) {
        return answer_failed(agent, *session, request_id, Reason::none, ENOENT);
    }
    if (!is_own_cid(agent, ask.local)) {
        return answer_failed(agent, *session, request_id, Reason::none, EADDRNOTAVAIL);
    }
    const auto bound = agent.vsock_ports.bind(ask.cookie, cleaned(ask.local));
    if (!bound) return answer_failed(agent, *session, request_id, Reason::none, bound.error().sys_errno);
    (*bound)->socket = shown_socket(message, ask.cookie);
    answer_bound(agent, *session, request_id, **bound);
}

void handle_unbind(Agent& agent, const SessionPtr& session, Received& message) {
    BoundPort* bound = agent.vsock_ports.find_cookie(message.as<IdMessage>()->id);
    if (bound != nullptr && bound->holders.count(session->id) != 0) let_go(agent, *bound, *session);
}

}  // namespace xylem::agent
