// bell_new, bell_free, bell_find, bell_ring: doorbells of this domain's programs, and finding those of any
// domain. A bell of another domain is asked for over the link; that agent decides whether it waits on an end
// with us.
#include "control/agent/agent.hpp"
#include "control/agent/answers.hpp"
#include "control/agent/handlers.hpp"
#include "control/agent/session_dispatch.hpp"

namespace xylem::agent {
namespace {

void answer_bell(Agent& agent, Session& session, std::uint32_t request_id, std::uint32_t id, KickKind kind,
                 int kick, int area, std::uint32_t port = 0) {
    auto bell = make_answer<BellMessage>(SessionMessage::bell, request_id);
    bell.doorbell_id = id;
    bell.kind = static_cast<std::uint32_t>(kind);
    bell.has_area = area >= 0 ? 1 : 0;
    bell.port = port;
    if (kick < 0) return answer(agent, session, bell);
    if (area < 0) return answer(agent, session, bell, {kick});
    answer(agent, session, bell, {kick, area});
}

void answer_missed(Agent& agent, Session& session, std::uint32_t request_id) {
    ++agent.counters.bells_missed;
    answer_failed(agent, session, request_id, Reason::none, ENOENT);
}

// What the far agent told of a doorbell, or what is known of it already.
struct FarBell {
    std::uint32_t domain;
    std::uint32_t id;
    std::uint32_t request_id;
};

void answer_relayed(Agent& agent, Session& session, const FarBell& bell) {
    ++agent.counters.bells_found;
    answer_bell(agent, session, bell.request_id, bell.id, KickKind::relayed,
                agent.relayed_bells.kicker_for(bell.domain), -1);
}

void answer_channel(Agent& agent, Session& session, const FarBell& bell, const KickerChannel& bound) {
    UniqueFd area;
    if (bound.area) {
        Result<UniqueFd> attached = bound.attach_area(static_cast<DomainId>(bell.domain));
        if (!attached) return answer_relayed(agent, session, bell);
        area = std::move(*attached);
    }
    ++agent.counters.bells_found;
    answer_bell(agent, session, bell.request_id, bell.id, KickKind::event_channel, bound.channel.fd.get(),
                area.get(), bound.channel.port);
}

// What is bound already. Any program that has the descriptor can close the channel; then it is bound anew.
// The asker is about to ring in any case.
const KickerChannel* open_channel(Agent& agent, const FarBell& bell) {
    const KickerChannel* bound = agent.kicker_channels.find(bell.domain, bell.id);
    if (bound == nullptr || kick_event_channel(bound->channel.fd.get(), bound->channel.port)) return bound;
    agent.kicker_channels.drop(bell.domain, bell.id);
    return nullptr;
}

// Where no channel can be bound, because ports are short or the one that was told is no good, kicks are
// relayed.
void answer_bound(Agent& agent, Session& session, const FarBell& bell, const LinkBellMessage& told) {
    const KickerChannel* bound = open_channel(agent, bell);
    if (bound == nullptr) {
        const auto area = told.has_area != 0 ? std::optional<GrantRef>(told.area_ref) : std::nullopt;
        const auto made = agent.kicker_channels.bind(bell.domain, bell.id, told.port, area);
        ++(made ? agent.counters.channels_bound : agent.counters.channels_short);
        if (!made) return answer_relayed(agent, session, bell);
        bound = *made;
    }
    answer_channel(agent, session, bell, *bound);
}

void answer_far_bell(Agent& agent, Session& session, const FarBell& bell, bool wants_relay,
                     Received* answered) {
    const auto* told = answered != nullptr ? answered->as<LinkBellMessage>() : nullptr;
    if (told == nullptr || told->doorbell_id != bell.id)
        return answer_missed(agent, session, bell.request_id);
    const auto kind = static_cast<KickKind>(told->kind);
    const bool is_guests = agent.reaches_by_grants(bell.domain);
    if (is_guests && (kind == KickKind::relayed || (kind == KickKind::event_channel && wants_relay)))
        return answer_relayed(agent, session, bell);
    if (is_guests && kind == KickKind::event_channel) return answer_bound(agent, session, bell, *told);
    // A program would ring whatever it is.
    if (kind != KickKind::local_socket || answered->fd_count != (told->has_area != 0 ? 2U : 1U) ||
        !is_unix_datagram(answered->fds[0].get()))
        return answer_missed(agent, session, bell.request_id);
    ++agent.counters.bells_found;
    answer_bell(agent, session, bell.request_id, bell.id, kind, answered->fds[0].get(),
                told->has_area != 0 ? answered->fds[1].get() : -1);
}

// An event channel for the doorbell, if its peers are in another guest and there are ports left; else they
// reach it through us. The program's descriptors.
void give_channel(Agent& agent, Bell& bell, UniqueFd& waiter) {
    auto made =
        agent.waiter_channels.make(static_cast<DomainId>(bell.peer_domain), static_cast<bool>(bell.area));
    ++(made ? agent.counters.channels_made : agent.counters.channels_short);
    if (!made) return;
    bell.channel = std::move(made->channel);
    waiter = std::move(made->waiter);
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
    UniqueFd waiter;
    const bool is_guest = ask.peer_domain < kFirstReservedDomain && agent.reaches_by_grants(ask.peer_domain);
    if (ask.wants_channel != 0 && is_guest) give_channel(agent, **bell, waiter);
    if (!waiter) return answer_bell(agent, *session, request_id, (*bell)->id, (*bell)->kind, -1, -1);
    answer_bell(agent, *session, request_id, (*bell)->id, KickKind::event_channel, waiter.get(),
                (*bell)->channel->area.fd.get());
}

void handle_bell_free(Agent& agent, const SessionPtr& session, Received& message) {
    const auto id = static_cast<std::uint32_t>(message.as<IdMessage>()->id);
    if (session->bells.erase(id) != 0) agent.free_bell(id);
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
    const FarBell bell{ask.domain, ask.doorbell_id, request_id};
    const bool wants_relay = (ask.flags & kFindRelayed) != 0;
    const KickerChannel* bound = wants_relay ? nullptr : open_channel(agent, bell);
    if (bound != nullptr) return answer_channel(agent, *session, bell, *bound);
    auto question = make_message<LinkBellFindMessage>(kLinkMagic, LinkMessage::bell_find, 0);
    question.doorbell_id = bell.id;
    agent.sessions.await_answer(*session);
    agent.links.ask(bell.domain, question, {},
                    [&agent, id = session->id, bell, wants_relay](Reason, Received* answered) {
                        const SessionPtr asker = agent.sessions.find(id);
                        if (asker == nullptr) return;
                        answer_far_bell(agent, *asker, bell, wants_relay, answered);
                        agent.sessions.answered(asker);
                    });
}

void handle_bell_ring(Agent& agent, const SessionPtr&, Received& message) {
    const BellRingMessage ask = *message.as<BellRingMessage>();
    agent.ring(ask.domain, WaitToken(ask.token));
}

}  // namespace xylem::agent
