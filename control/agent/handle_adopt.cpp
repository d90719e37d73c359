// adopt and rejoin: ends and listeners that a process has without having got them from this agent in this
// session. adopt: inherited over exec(), or received by SCM_RIGHTS; known by the cookie of the kernel socket
// that stands for it. rejoin: kept from the time of an earlier agent.
//
// Who shows the kernel socket has it, and may have what it stands for. Who only names the cookie may if it is
// the same user's; the cookie may then stand in another's session page alone (of an end that was accepted
// without showing the kernel socket). It is looked up there, and believed of ends that this very session
// holds: a lie could only mislead about the liar's own.
#include "control/agent/adoption.hpp"
#include "control/agent/agent.hpp"
#include "control/agent/answers.hpp"
#include "control/agent/end_closing.hpp"
#include "control/agent/handlers.hpp"
#include "control/agent/listener_holding.hpp"
#include "control/agent/names.hpp"
#include "control/agent/queueing.hpp"
#include "control/agent/session_dispatch.hpp"
#include "control/agent/session_records.hpp"

namespace xylem::agent {
namespace {

// The end that one of the user's sessions calls by this cookie.
End* find_in_pages(Agent& agent, uid_t uid, std::uint64_t cookie) {
    End* found = nullptr;
    agent.sessions.for_each([&](const Session& session) {
        if (found != nullptr || session.uid != uid || session.ends.empty()) return;
        for_each_record(session, [&](const SessionRecord& record) {
            if (record.cookie != cookie || session.ends.count(record.end_id) == 0) return;
            found = agent.ends.find(record.end_id);
        });
    });
    if (found != nullptr) agent.ends.name_cookie(*found, cookie);
    return found;
}

EndIdentity identity_of(const RejoinMessage& ask) {
    EndIdentity identity{};
    identity.end_id = ask.end_id;
    identity.connection_id = ask.connection_id;
    identity.side = ask.side;
    identity.own_domain = ask.own_domain;
    identity.peer_domain = ask.peer_domain;
    identity.local = cleaned(ask.local);
    identity.peer = cleaned(ask.peer);
    identity.is_granted = ask.is_granted != 0 && !is_remote_domain(ask.peer_domain);
    return identity;
}

// From a queue that outlived an agent the process took it before it had heard of the next one.
bool may_have_taken(Agent& agent, const Session& session, const End& end) {
    const Listener* listener = agent.listeners.find(end.queued_at);
    return listener != nullptr && may_adopt(agent, session, listener->holders);
}

// A further holder of an end that another process named already, or its first.
End* rejoined_end(Agent& agent, const Session& session, const RejoinMessage& ask) {
    if (End* end = agent.ends.find(ask.end_id)) {
        const bool is_same = end->identity.connection_id == ask.connection_id &&
                             end->identity.side == ask.side && end->identity.peer_domain == ask.peer_domain;
        const bool is_queued = end->queued_at != 0;
        const bool may =
            is_queued ? may_have_taken(agent, session, *end) : may_adopt(agent, session, end->holders);
        if (!is_same || !may) return nullptr;
        if (is_queued) leave_queue(agent, *end);
        return end;
    }
    auto end = std::make_unique<End>();
    end->identity = identity_of(ask);
    end->connecting_domain = ask.side == 0 ? ask.own_domain : ask.peer_domain;
    end->cookie = ask.cookie;
    return agent.ends.add(std::move(end));
}

}  // namespace

void handle_adopt(Agent& agent, const SessionPtr& session, Received& message) {
    const IdMessage ask = *message.as<IdMessage>();
    const std::uint32_t request_id = ask.header.request_id;
    const bool has_shown = ask.id != 0 && shown_cookie(message) == ask.id;
    End* end = ask.id == 0 ? nullptr : agent.ends.find_cookie(ask.id);
    if (end == nullptr && ask.id != 0) end = find_in_pages(agent, session->uid, ask.id);
    if (end != nullptr && end->has_memory() && (has_shown || may_adopt(agent, *session, end->holders))) {
        hold(*end, *session);
        take_from_limbo(agent, *session, *end);
        ++agent.counters.adopted;
        if (answer_attached(agent, *session, request_id, *end)) return;
        let_go(agent, *end, *session, CloseMode::orderly);
        return answer_failed(agent, *session, request_id, Reason::no_memory);
    }
    Listener* listener = ask.id == 0 ? nullptr : agent.listeners.find_cookie(ask.id);
    if (listener != nullptr && (has_shown || may_adopt(agent, *session, listener->holders))) {
        hold(*listener, *session);
        take_from_limbo(agent, *session, *listener);
        ++agent.counters.adopted;
        return answer_listening(agent, *session, request_id, *listener);
    }
    answer_failed(agent, *session, request_id, Reason::none, ENOENT);
}

void handle_rejoin(Agent& agent, const SessionPtr& session, Received& message) {
    const RejoinMessage ask = *message.as<RejoinMessage>();
    const std::uint32_t request_id = ask.header.request_id;
    if (ask.own_domain != agent.settings.domain || ask.side > 1 || ask.end_id == 0) {
        return refuse_malformed(agent, session, request_id, Reason::bad_request);
    }
    End* end = rejoined_end(agent, *session, ask);
    if (end == nullptr) return answer_failed(agent, *session, request_id, Reason::quota_reached);
    hold(*end, *session);
    // A connection that is used again stands behind another kernel socket.
    if (!end->socket || end->socket.cookie() != ask.cookie) end->socket = shown_socket(message, ask.cookie);
    if (ask.cookie != 0) agent.ends.name_cookie(*end, ask.cookie);
    ++agent.counters.rejoined;
    agent.left_behind.doubt_rejoined(*end);
    const SessionMessage what = end->is_peer_gone ? SessionMessage::peer_gone : SessionMessage::done;
    answer(agent, *session, make_answer<PlainMessage>(what, request_id));
}

}  // namespace xylem::agent
