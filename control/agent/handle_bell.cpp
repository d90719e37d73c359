// bell_new, bell_free, bell_find: doorbells of this domain's programs, and finding those of any domain. A
// bell of another domain is asked for over the link; that agent decides whether it waits on an end with us.
#include "control/agent/agent.hpp"
#include "control/agent/answers.hpp"
#include "control/agent/handlers.hpp"
#include "control/agent/session_dispatch.hpp"

namespace xylem::agent {
namespace {

void answer_bell(Agent& agent, Session& session, std::uint32_t request_id, std::uint32_t id, KickKind kind,
                 int kick, int area) {
    auto bell = make_answer<BellMessage>(SessionMessage::bell, request_id);
    bell.doorbell_id = id;
    bell.kind = static_cast<std::uint32_t>(kind);
    bell.has_area = area >= 0 ? 1 : 0;
    if (kick < 0) return answer(agent, session, bell);
    if (area < 0) return answer(agent, session, bell, {kick});
    answer(agent, session, bell, {kick, area});
}

void answer_missed(Agent& agent, Session& session, std::uint32_t request_id) {
    ++agent.counters.bells_missed;
    answer_failed(agent, session, request_id, Reason::none, ENOENT);
}

void on_far_bell(Agent& agent, SessionId session_id, std::uint32_t request_id, std::uint32_t domain,
                 Received* answered) {
    const SessionPtr session = agent.sessions.find(session_id);
    if (session == nullptr) return;
    const auto* bell = answered != nullptr ? answered->as<LinkBellMessage>() : nullptr;
    if (bell != nullptr && static_cast<KickKind>(bell->kind) == KickKind::relayed) {
        ++agent.counters.bells_found;
        answer_bell(agent, *session, request_id, bell->doorbell_id, KickKind::relayed,
                    agent.relayed_bells.kicker_for(domain), -1);
        return agent.sessions.answered(session);
    }
    const bool is_whole =
        bell != nullptr && bell->kind != 0 && answered->fd_count == (bell->has_area != 0 ? 2U : 1U);
    if (is_whole) {
        ++agent.counters.bells_found;
        answer_bell(agent, *session, request_id, bell->doorbell_id, static_cast<KickKind>(bell->kind),
                    answered->fds[0].get(), bell->has_area != 0 ? answered->fds[1].get() : -1);
    } else {
        answer_missed(agent, *session, request_id);
    }
    agent.sessions.answered(session);
}

}  // namespace

void handle_bell_new(Agent& agent, const SessionPtr& session, Received& message) {
    const BellNewMessage ask = *message.as<BellNewMessage>();
    const std::uint32_t request_id = ask.header.request_id;
    if (message.fd_count != (ask.has_area != 0 ? 2U : 1U)) {
        return refuse_malformed(agent, session, request_id, Reason::bad_request);
    }
    auto bell = agent.bells.add(session->id, ask.peer_domain, ask.wanted_id, std::move(message.fds[0]),
                                std::move(message.fds[1]));
    if (!bell && bell.error().kind == ErrorKind::exhausted) {
        return answer_failed(agent, *session, request_id, Reason::quota_reached);
    }
    if (!bell) return refuse_malformed(agent, session, request_id, Reason::bad_request);
    session->bells.insert((*bell)->id);
    ++agent.counters.bells_made;
    answer_bell(agent, *session, request_id, (*bell)->id, (*bell)->kind, -1, -1);
}

void handle_bell_free(Agent& agent, const SessionPtr& session, Received& message) {
    const auto id = static_cast<std::uint32_t>(message.as<IdMessage>()->id);
    if (session->bells.erase(id) != 0) agent.bells.erase(id);
}

void handle_bell_find(Agent& agent, const SessionPtr& session, Received& message) {
    const BellFindMessage ask = *message.as<BellFindMessage>();
    const std::uint32_t request_id = ask.header.request_id;
    if (ask.domain == agent.settings.domain) {
        const Bell* bell = agent.bells.find(ask.doorbell_id);
        if (bell == nullptr) return answer_missed(agent, *session, request_id);
        ++agent.counters.bells_found;
        return answer_bell(agent, *session, request_id, bell->id, bell->kind, bell->kick.get(),
                           bell->area.get());
    }
    auto question = make_message<LinkBellFindMessage>(kLinkMagic, LinkMessage::bell_find, 0);
    question.doorbell_id = ask.doorbell_id;
    agent.sessions.await_answer(*session);
    agent.links.ask(ask.domain, question, {},
                    [&agent, id = session->id, request_id, domain = ask.domain](Reason, Received* answered) {
                        on_far_bell(agent, id, request_id, domain, answered);
                    });
}

}  // namespace xylem::agent
