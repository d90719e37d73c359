// connect: a program asks for a ring instead of a TCP connection. While another agent thinks about it, the
// session is not read; other sessions are.
#include "control/agent/agent.hpp"
#include "control/agent/answers.hpp"
#include "control/agent/connect_attempt.hpp"
#include "control/agent/end_closing.hpp"
#include "control/agent/end_making.hpp"
#include "control/agent/handlers.hpp"

namespace xylem::agent {
namespace {

struct Question {
    SessionId session;
    std::uint32_t request_id;
    std::uint64_t cookie;
};

void answer_tcp(Agent& agent, Session* session, const Question& question, Reason reason) {
    ++agent.counters.connects_failed[index_of(reason)];
    if (session != nullptr) answer_failed(agent, *session, question.request_id, reason);
}

void finish_dry_run(Agent& agent, Session* session, const Question& question, Reason reason) {
    if (session == nullptr) return;
    if (reason != Reason::ring) return answer_failed(agent, *session, question.request_id, reason);
    answer(agent, *session, make_answer<PlainMessage>(SessionMessage::done, question.request_id));
}

// The far side refused, and has given the slab back unseen by any program.
void return_slab(Agent& agent, const EndIdentity& identity) {
    agent.pool.ended(identity.connection_id, identity.peer_domain, 1);
    agent.pool.ended(identity.connection_id, identity.peer_domain, 0);
}

void attach(Agent& agent, Session* session, const Question& question, ConnectAttempt& attempt) {
    Reason why = Reason::no_agent;
    End* end = nullptr;
    if (session != nullptr) {
        end = make_end(agent, attempt.identity, agent.settings.domain, attempt.slab, question.cookie, why);
        if (end != nullptr && attempt.is_small) end->end_page()->is_revoked.store_release(1);
    }
    if (end == nullptr) {
        abandon(agent, attempt.identity, attempt.slab);
        return answer_tcp(agent, session, question, why);
    }
    end->socket = std::move(attempt.socket);
    hold(*end, *session);
    end->run_id = session->run_id;
    if (answer_attached(agent, *session, question.request_id, *end)) {
        ++agent.counters.connects_ring;
        return;
    }
    end->run_id = 0;
    let_go(agent, *end, *session, CloseMode::abort);
    answer_tcp(agent, session, question, Reason::no_memory);
}

void on_decided(Agent& agent, const Question& question, ConnectAttempt& attempt, Reason reason,
                bool is_certain) {
    const SessionPtr found = agent.sessions.find(question.session);
    Session* session = found != nullptr && found->state == SessionState::open ? found.get() : nullptr;
    if (attempt.slab == nullptr) {
        finish_dry_run(agent, session, question, reason);
    } else if (reason == Reason::ring) {
        attach(agent, session, question, attempt);
    } else {
        if (is_certain) return_slab(agent, attempt.identity);
        if (!is_certain) abandon(agent, attempt.identity, attempt.slab);
        answer_tcp(agent, session, question, reason);
    }
    attempt.slab.reset();
    if (found != nullptr) agent.sessions.answered(found);
}

}  // namespace

void handle_connect(Agent& agent, const SessionPtr& session, Received& message) {
    const ConnectMessage ask = *message.as<ConnectMessage>();
    const Question question{session->id, ask.header.request_id, ask.cookie};
    const auto attempt = std::make_shared<ConnectAttempt>();
    attempt->socket = shown_socket(message, ask.cookie);
    const bool is_dry_run = (ask.flags & kConnectDryRun) != 0;
    if (!is_dry_run) ++agent.counters.connects_asked;
    const Reason prepared = prepare(agent, ask, *attempt);
    if (prepared != Reason::ring) {
        if (is_dry_run) return finish_dry_run(agent, session.get(), question, prepared);
        return answer_tcp(agent, session.get(), question, prepared);
    }
    agent.sessions.await_answer(*session);
    ask_accepting_side(agent, *attempt, [&agent, question, attempt](Reason reason, bool is_certain) {
        on_decided(agent, question, *attempt, reason, is_certain);
    });
}

}  // namespace xylem::agent
