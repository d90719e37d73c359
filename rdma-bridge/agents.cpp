// Bridge: links with the agents of this node, which kinds of messages there are, and what becomes of a link
// that breaks.
#include <algorithm>
#include <utility>

#include "control/protocol/nonblocking_dial.hpp"
#include "control/protocol/remote_domain.hpp"
#include "control/protocol/runtime_paths.hpp"
#include "rdma-bridge/bridge.hpp"

namespace xylem::bridge {
namespace {

constexpr std::size_t kMostUnnamed = 256;
constexpr std::ptrdiff_t kMostPairs = 1024;  // of a domain here, or of a node, which may invent its own

}  // namespace

void Bridge::accept_agents() {
    acceptor_.accept_from(agent_socket_.get(), [this](UniqueFd connected) {
        if (unnamed_.size() >= kMostUnnamed) return;  // hung up: left in the queue it would keep us busy
        unnamed_.push_back(
            std::make_unique<AgentLink>(poller_, std::move(connected), boot_id_, agent_events()));
    });
}

// Each pair costs a link, and doorbells once it has connections, so that no domain may have any number of
// them. Nodes that have no number are none.
bool Bridge::may_dial(const Pair& pair) const {
    if (numbered_node(node_number_of(pair.remote)).text[0] == '\0') return false;
    if (in_.count(pair) != 0) return true;
    const auto of_domain = std::count_if(in_.begin(), in_.end(),
                                         [&](const auto& entry) { return entry.first.local == pair.local; });
    return of_domain < kMostPairs;
}

AgentLink::Events Bridge::agent_events() {
    return {[this](const Pair& pair) { return may_dial(pair); },
            [this](AgentLink& link) {
                if (link.is_dialled_by_us()) return;
                const auto at = std::find_if(unnamed_.begin(), unnamed_.end(),
                                             [&](const auto& l) { return l.get() == &link; });
                auto& place = in_[link.pair()];
                if (place != nullptr) place->break_it("dialled again");
                in_[link.pair()] = std::move(*at);
                unnamed_.erase(at);
            },
            [this](AgentLink& link, Received& message) { on_agent_message(link, message); },
            [this](AgentLink& link) { on_agent_broken(link); }};
}

void Bridge::on_agent_message(AgentLink& link, Received& message) {
    const auto type = static_cast<LinkMessage>(message.header().type);
    const auto is = [&](LinkMessage wanted, std::size_t size_bytes) {
        return type == wanted && message.size_bytes == size_bytes;
    };
    if (is(LinkMessage::connect, sizeof(LinkConnectMessage))) return on_connect(link, message);
    if (is(LinkMessage::rejoin, sizeof(LinkRejoinMessage))) return on_rejoin(link, message);
    if (is(LinkMessage::bell_find, sizeof(LinkBellFindMessage))) return on_bell_find(link, message);
    if (is(LinkMessage::ended, sizeof(LinkEndMessage)) || is(LinkMessage::vanished, sizeof(LinkEndMessage)))
        return on_end_message(link, message);
    if (is(LinkMessage::ring, sizeof(LinkRingMessage))) return on_ring(link, message);
    if (!is(LinkMessage::bell_gone, sizeof(LinkBellGoneMessage))) link.break_it("said what makes no sense");
}

void Bridge::on_bell_find(AgentLink& link, const Received& message) {
    const auto& ask = *message.as<LinkBellFindMessage>();
    auto answer = make_message<LinkBellMessage>(kLinkMagic, LinkMessage::bell, ask.header.request_id);
    answer.doorbell_id = ask.doorbell_id;
    for (const auto& bell : own_bells_[link.pair()]) {
        if (bell->id() != ask.doorbell_id) continue;
        answer.kind = static_cast<std::uint32_t>(KickKind::local_socket);
        answer.has_area = 1;
        return link.send(answer, {bell->kicker_fd(), bell->area_fd()});
    }
    link.send(answer);
}

void Bridge::on_ring(AgentLink&, const Received& message) {
    const WaitToken token(message.as<LinkRingMessage>()->token);
    const auto found = by_bit_.find(std::uint64_t{token.doorbell_id()} << 16 | token.index());
    if (found != by_bit_.end()) queue(found->second);
}

void Bridge::on_agent_broken(AgentLink& link) {
    for (auto it = asking_.begin(); it != asking_.end();) {
        const ConnectionPtr connection = *it;
        const bool is_its = connection->asker == &link;
        it = is_its ? asking_.erase(it) : std::next(it);
        if (is_its) stop_asking(connection);
    }
    doubt(link.pair());
    const auto bury = [&](std::unique_ptr<AgentLink>& place) { dead_agents_.push_back(std::move(place)); };
    for (auto* table : {&in_, &out_}) {
        const auto found = table->find(link.pair());
        if (found == table->end() || found->second.get() != &link) continue;
        bury(found->second);
        table->erase(found);
        return;
    }
    const auto at =
        std::find_if(unnamed_.begin(), unnamed_.end(), [&](const auto& l) { return l.get() == &link; });
    if (at == unnamed_.end()) return;
    bury(*at);
    unnamed_.erase(at);
}

// Null: the domain has no agent.
AgentLink* Bridge::out_link(const Pair& pair) {
    const auto found = out_.find(pair);
    if (found != out_.end()) return found->second.get();
    const std::uint32_t node = node_number_of(pair.remote);
    const auto of_node = std::count_if(out_.begin(), out_.end(), [&](const auto& entry) {
        return node_number_of(entry.first.remote) == node;
    });
    if (of_node >= kMostPairs) return nullptr;
    UniqueFd socket;
    if (dial_now(link_socket(pair.local).text, socket) != 0) return nullptr;
    auto& place = out_[pair];
    place = std::make_unique<AgentLink>(poller_, std::move(socket), boot_id_, pair, agent_events());
    return place.get();
}

AgentLink* Bridge::any_link(const Pair& pair) {
    const auto found = in_.find(pair);
    return found != in_.end() ? found->second.get() : out_link(pair);
}

}  // namespace xylem::bridge
