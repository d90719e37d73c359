// Link messages by kind. One table says which kind may come on which link, how long it is and how many
// descriptors it may bring; anything else breaks the link and nothing more. Handlers may believe that much,
// and that link->domain is who speaks; no field is believed beyond that.
#include "control/agent/link_dispatch.hpp"

#include "control/agent/agent.hpp"
#include "control/agent/end_closing.hpp"
#include "control/agent/offer.hpp"

namespace xylem::agent {
namespace {

using Handler = void (*)(Agent&, const LinkPtr&, Received&);

void on_connect(Agent& agent, const LinkPtr& link, Received& message) {
    const LinkConnectMessage ask = *message.as<LinkConnectMessage>();
    auto answer =
        make_message<LinkConnectedMessage>(kLinkMagic, LinkMessage::connected, ask.header.request_id);
    answer.connection_id = ask.connection_id;
    answer.reason =
        static_cast<std::uint32_t>(offer_from_link(agent, link->domain, ask, std::move(message.fds[0])));
    agent.links.send(link, &answer, sizeof answer, {});
}

// For a peer in another guest.
void answer_channel(LinkBellMessage& answer, Bell& bell) {
    answer.kind = static_cast<std::uint32_t>(bell.channel ? KickKind::event_channel : KickKind::relayed);
    if (!bell.channel) return;
    bell.channel->is_told = true;
    answer.port = bell.channel->port;
    answer.has_area = bell.channel->area.fd ? 1 : 0;
    answer.area_ref = bell.channel->area.ref;
}

void on_bell_find(Agent& agent, const LinkPtr& link, Received& message) {
    const auto& ask = *message.as<LinkBellFindMessage>();
    auto answer = make_message<LinkBellMessage>(kLinkMagic, LinkMessage::bell, ask.header.request_id);
    answer.doorbell_id = ask.doorbell_id;
    Bell* bell = agent.bells.find(ask.doorbell_id);
    if (bell == nullptr || bell->peer_domain != link->domain) {
        ++agent.counters.bells_missed;
        return agent.links.send(link, &answer, sizeof answer, {});
    }
    ++agent.counters.bells_found;
    if (agent.reaches_by_grants(link->domain)) {
        answer_channel(answer, *bell);
        return agent.links.send(link, &answer, sizeof answer, {});
    }
    answer.kind = static_cast<std::uint32_t>(bell->kind);
    answer.has_area = bell->area ? 1 : 0;
    std::vector<int> fds{bell->kick.get()};
    if (bell->area) fds.push_back(bell->area.get());
    agent.links.send(link, &answer, sizeof answer, fds);
}

// It was given up by then. A connection that was refused is not spoken of again: nobody over there has it.
void on_late_answer(Agent& agent, const LinkPtr& link, const Received& message) {
    const auto* connected = message.as<LinkConnectedMessage>();
    if (connected == nullptr || static_cast<LinkMessage>(connected->header.type) != LinkMessage::connected)
        return;
    if (connected->reason == static_cast<std::uint32_t>(Reason::ring)) return;
    agent.pool.ended(connected->connection_id, link->domain, 1);
}

void on_answer(Agent& agent, const LinkPtr& link, Received& message) {
    const auto found = link->pending.find(message.header().request_id);
    if (found == link->pending.end()) return on_late_answer(agent, link, message);
    const Link::Pending pending = std::move(found->second);
    link->pending.erase(found);
    pending.answered(Reason::none, &message);
}

void on_ring(Agent& agent, const LinkPtr& link, Received& message) {
    const WaitToken token(message.as<LinkRingMessage>()->token);
    const Bell* bell = agent.bells.find(token.doorbell_id());
    if (bell != nullptr && bell->peer_domain == link->domain) agent.ring(agent.settings.domain, token);
}

void on_bell_gone(Agent& agent, const LinkPtr& link, Received& message) {
    agent.kicker_channels.drop(link->domain, message.as<LinkBellGoneMessage>()->doorbell_id);
}

void on_end_message(Agent& agent, const LinkPtr& link, Received& message) {
    const LinkEndMessage said = *message.as<LinkEndMessage>();
    const std::uint32_t own = agent.settings.domain;
    // Their end of a connection that one of us two began: they are side 0 if it was they.
    const bool is_theirs = (said.connecting_domain == link->domain && said.side == 0) ||
                           (said.connecting_domain == own && said.side == 1);
    if (!is_theirs) {
        ++agent.counters.malformed_messages;
        return agent.links.break_link(link, Reason::bad_request,
                                      "speaks of a connection that is not its own");
    }
    const bool has_vanished = static_cast<LinkMessage>(said.header.type) == LinkMessage::vanished;
    far_end_over(agent, {said.connecting_domain, said.connection_id, 1 - said.side}, link->domain,
                 has_vanished ? FarEnd::vanished : FarEnd::published);
    if (said.connecting_domain == own) agent.pool.ended(said.connection_id, link->domain, 1);
}

struct Row {
    LinkMessage type;
    bool on_out;
    bool on_in;
    std::size_t size_bytes;
    unsigned max_fds;
    Handler handle;  // null: hello, which the link itself answers
};

constexpr Row kRows[] = {
    {LinkMessage::hello, true, true, sizeof(LinkHelloMessage), 0, nullptr},
    {LinkMessage::connect, false, true, sizeof(LinkConnectMessage), 1, on_connect},
    {LinkMessage::connected, true, false, sizeof(LinkConnectedMessage), 0, on_answer},
    {LinkMessage::bell_find, false, true, sizeof(LinkBellFindMessage), 0, on_bell_find},
    {LinkMessage::bell, true, false, sizeof(LinkBellMessage), 2, on_answer},
    {LinkMessage::rejoined, true, false, sizeof(LinkRejoinedMessage), 1, on_answer},
    {LinkMessage::ended, true, true, sizeof(LinkEndMessage), 0, on_end_message},
    {LinkMessage::vanished, true, true, sizeof(LinkEndMessage), 0, on_end_message},
    {LinkMessage::ring, false, true, sizeof(LinkRingMessage), 0, on_ring},
    {LinkMessage::bell_gone, false, true, sizeof(LinkBellGoneMessage), 0, on_bell_gone},
};

const Row* row_for(const Link& link, const Received& message) {
    for (const Row& row : kRows) {
        if (static_cast<std::uint16_t>(row.type) != message.header().type) continue;
        const bool is_expected = link.direction == LinkDirection::out ? row.on_out : row.on_in;
        const bool fits = message.size_bytes == row.size_bytes && message.fd_count <= row.max_fds;
        return is_expected && fits ? &row : nullptr;
    }
    return nullptr;
}

void refuse(Agent& agent, const LinkPtr& link, HeaderFault fault) {
    ++agent.counters.malformed_messages;
    if (fault != HeaderFault::wrong_version) {
        return agent.links.break_link(link, Reason::bad_request, "a message makes no sense");
    }
    if (link->direction == LinkDirection::in) {  // so that the other side sees which version we speak
        const auto hello = make_message<LinkHelloMessage>(kLinkMagic, LinkMessage::hello, 0);
        agent.links.send(link, &hello, sizeof hello, {});
    }
    agent.links.break_link(link, Reason::version_mismatch, "speaks another version of the protocol");
}

}  // namespace

void LinkDispatch::dispatch(Agent& agent, const LinkPtr& link, Received& message) {
    const HeaderFault fault = check_header(message, kLinkMagic);
    const Row* row = fault == HeaderFault::none ? row_for(*link, message) : nullptr;
    if (row == nullptr) return refuse(agent, link, fault);
    if (row->handle != nullptr && link->state == LinkState::ready) return row->handle(agent, link, message);
    if (row->handle != nullptr || link->state != LinkState::greeting) {
        return refuse(agent, link, HeaderFault::none);
    }
    const LinkHelloMessage hello = *message.as<LinkHelloMessage>();
    if (link->direction == LinkDirection::out) return agent.links.on_greeted(link, hello);
    agent.links.on_hello(link, hello);
}

}  // namespace xylem::agent
