// FarBells. A kick that is lost costs its waiter time (every sleep is bounded), so nothing is tried twice.
#include "control/agent/far_bells.hpp"

#include <utility>

#include "control/agent/agent.hpp"

namespace xylem::agent {
namespace {

constexpr std::size_t kMaxTokens = 65536;  // of one bell; as many as its area can tell apart, and then some

}  // namespace

void FarBells::ring(std::uint32_t domain, WaitToken token) {
    if (agent_.reaches_by_grants(domain)) {
        auto message = make_message<LinkRingMessage>(kLinkMagic, LinkMessage::ring, 0);
        message.token = token.bits();
        return agent_.links.tell_if_idle(domain, message);
    }
    const Key key{domain, token.doorbell_id()};
    auto [place, is_first] = waiting_.try_emplace(key);
    if (place->second.size() < kMaxTokens) place->second.push_back(token);
    if (!is_first) return;
    auto question = make_message<LinkBellFindMessage>(kLinkMagic, LinkMessage::bell_find, 0);
    question.doorbell_id = key.id;
    agent_.links.ask(domain, question, {}, [this, key](Reason, Received* answer) { on_answer(key, answer); });
}

void FarBells::on_answer(Key key, Received* answer) {
    const std::vector<WaitToken> tokens = std::move(waiting_[key]);
    waiting_.erase(key);
    const auto* bell = answer != nullptr ? answer->as<LinkBellMessage>() : nullptr;
    if (bell == nullptr || bell->kind != static_cast<std::uint32_t>(KickKind::local_socket) ||
        answer->fd_count != (bell->has_area != 0 ? 2U : 1U))
        return;
    Doorbell doorbell;
    if (!install(doorbell, static_cast<KickKind>(bell->kind), std::move(answer->fds[0]), answer->fds[1]))
        return;
    for (const WaitToken token : tokens) {
        if (doorbell.ring(token)) ++agent_.counters.kicks_sent;
    }
}

}  // namespace xylem::agent
