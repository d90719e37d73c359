// Bridge: how a connection ends. Each program's agent says when its end is closed and unmapped; what that end
// published last goes to the far node first, then `gone`. Once both have gone nothing is left here. Until
// then the slab stays as it is, since the program that is left may still read from it.
//
// An agent that died, or gave up on an answer, says nothing of an end that is gone, and the next agent may
// never have known it. So all ends are looked at now and then: whether somebody still has the slab
// (vsock-transport/local/side_lock.cpp). New ones, and those of which an agent's link broke, are looked at
// soon.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "control/protocol/reason.hpp"
#include "rdma-bridge/bridge.hpp"
#include "vsock-transport/base/clock.hpp"
#include "vsock-transport/local/side_lock.hpp"

namespace xylem::bridge {
namespace {

constexpr std::uint64_t kLookNs = kNsPerMs / 4;  // a time
constexpr std::uint64_t kLookAgainNs = 5 * kNsPerMs;
constexpr std::uint64_t kFirstPauseNs = kNsPerSecond / 2;
constexpr std::uint64_t kLongestPauseNs = 64 * kNsPerSecond;

}  // namespace

void Bridge::on_end_message(AgentLink& link, const Received& message) {
    const auto& said = *message.as<LinkEndMessage>();
    const auto found = connections_.find({link.pair(), said.connecting_domain, said.connection_id});
    if (found == connections_.end() || said.side != found->second->home_side) return;
    const ConnectionPtr connection = found->second;
    connection->is_home_gone = true;
    connection->is_home_vanished = static_cast<LinkMessage>(message.header().type) == LinkMessage::vanished;
    queue(connection);
    forget_if_over(connection);
}

void Bridge::on_gone(Node& node, const GoneFrame& frame) {
    node.link->wire().hide(frame.header.connection);  // not before: what is under way must have a place
    const ConnectionPtr connection = node.find(frame.header.connection);
    if (connection == nullptr || connection->is_far_gone) return;
    Connection& c = *connection;
    if (c.is_cut && c.home_side == 1) return;  // a number of the link before
    if (!c.is_open) return on_opened(connection, Reason::node_unreachable);
    c.is_far_gone = true;
    kick(c, frame.is_vanished != 0 ? c.mirror->vanish() : c.mirror->reset());
    tell_agent(c, LinkMessage::ended);
    // Nobody is left there to hear more: the far bridge need not keep it until the program here has closed.
    if (!c.is_gone_sent && c.link() != nullptr) return send_gone(connection);
    forget_if_over(connection);
}

// The last word about the end here.
void Bridge::send_gone(const ConnectionPtr& connection) {
    Connection& c = *connection;
    auto gone = make_frame<GoneFrame>(FrameKind::gone, c.number);
    gone.is_vanished = c.is_home_vanished ? 1 : 0;
    c.is_gone_sent = true;
    c.gone_ns = now_ns();
    c.link()->send(&gone, sizeof gone);
    forget_if_over(connection);
}

// The program here published what no program can. Its connection is over, at both nodes; what the far device
// still writes has its place until the far bridge says `gone`, or others would pay with the link.
void Bridge::end_for_lie(const ConnectionPtr& connection) {
    Connection& c = *connection;
    spdlog::warn("domain {}: a connection's words are impossible: reset", c.key.pair.local);
    auto update = make_frame<UpdateFrame>(FrameKind::update, c.number);
    update.tail = c.mirror->progress().tail;  // no less than the far node knows
    const std::uint32_t use = use_of(c.mirror->published().tx_state);
    update.tx_state = tagged_state(use, TxState::reset);
    update.rx_state = tagged_state(use, RxState::closed);
    update.call_state = c.last_sent.call_state;
    c.link()->send(&update, sizeof update);
    if (c.link() != nullptr) send_gone(connection);
    kick(c, c.mirror->reset());
}

// One that was refused for its number never had it.
void Bridge::leave_node(const ConnectionPtr& connection) {
    Connection& c = *connection;
    if (c.node != nullptr && c.node->find(c.number) == connection) c.node->connections.erase(c.number);
    c.node = nullptr;
}

// Nothing comes from the far end any more.
void Bridge::lose_far(const ConnectionPtr& connection) {
    Connection& c = *connection;
    // The agent may use the slab again. What the far device still writes there breaks the link, no more.
    if (c.node != nullptr && c.node->link != nullptr) c.node->link->wire().hide(c.number);
    leave_node(connection);
    if (!c.is_open) return on_opened(connection, Reason::node_unreachable);
    if (c.is_far_gone) return forget_if_over(connection);
    c.is_far_gone = true;
    kick(c, c.mirror->reset());
    tell_agent(c, LinkMessage::ended);
    forget_if_over(connection);
}

// Of the far end.
void Bridge::tell_agent(Connection& connection, LinkMessage what) {
    AgentLink* link = any_link(connection.key.pair);
    if (link == nullptr) return;  // the next agent looks at the side's lock
    auto message = make_message<LinkEndMessage>(kLinkMagic, what, 0);
    message.connection_id = connection.key.connection_id;
    message.connecting_domain = connection.key.connecting_domain;
    message.side = 1 - connection.home_side;
    link->send(message);
}

void Bridge::forget_if_over(const ConnectionPtr& connection) {
    const Connection& c = *connection;
    const bool is_told = c.is_gone_sent || c.node == nullptr;
    if (c.is_far_gone && c.is_home_gone && is_told) forget(connection);
}

void Bridge::forget(const ConnectionPtr& connection) {
    Connection& c = *connection;
    c.is_open = false;
    leave_node(connection);
    const auto known = connections_.find(c.key);
    if (known != connections_.end() && known->second == connection) {
        connections_.erase(known);
        const auto of_domain = of_domain_.find(c.key.pair.local);
        if (--of_domain->second == 0) of_domain_.erase(of_domain);
    }
    if (c.bell == nullptr) return;
    by_bit_.erase(std::uint64_t{c.bell->id()} << 16 | c.bit);
    c.bell->give_back(c.bit);
    c.bell = nullptr;
}

// Whether somebody of the domain has the end still.
bool Bridge::look_at_home(Connection& c) {
    const bool is_there = is_side_locked(c.slab_fd.get(), c.key.connection_id, c.home_side);
    c.is_home_seen |= is_there;
    return is_there;
}

// Soon.
void Bridge::doubt(const Pair& pair) {
    const ConnectionKey first{pair, 0, 0};
    for (auto at = connections_.lower_bound(first); at != connections_.end() && at->first.pair == pair; ++at)
        at->second->look_ns = at->second->look_pause_ns = 0;
}

// A node answers `gone` with its own at once, unless it is not what it should be.
bool Bridge::is_farewell_over(const Connection& c, std::uint64_t now) const {
    return c.is_gone_sent && !c.is_far_gone && c.link() != nullptr && now > c.gone_ns + settings_.farewell_ns;
}

// Says whether some are left for the next time: a look is a system call, which a program can make slow.
// Without an agent an end is looked at each time, with one ever more seldom.
bool Bridge::look_for_left_behind() {
    const std::uint64_t begin_ns = now_ns();
    std::vector<ConnectionPtr> left;
    std::vector<ConnectionPtr> kept;  // by their nodes, for too long
    auto at = connections_.upper_bound(last_looked_at_);
    for (; at != connections_.end() && now_ns() - begin_ns < kLookNs; ++at) {
        last_looked_at_ = at->first;
        Connection& c = *at->second;
        if (is_farewell_over(c, begin_ns)) kept.push_back(at->second);
        if (!c.is_open || c.is_home_gone || begin_ns < c.look_ns) continue;
        const bool has_agent = in_.count(c.key.pair) != 0 || out_.count(c.key.pair) != 0;
        // While there is an agent, locks that the system does not give must not look like an end.
        const bool can_tell = !has_agent || c.is_home_seen || c.mirror->has_ended();
        if (!look_at_home(c) && can_tell) left.push_back(at->second);
        c.look_pause_ns = has_agent ? std::clamp(2 * c.look_pause_ns, kFirstPauseNs, kLongestPauseNs) : 0;
        c.look_ns = begin_ns + c.look_pause_ns;
    }
    const bool has_more = at != connections_.end();
    if (!has_more) last_looked_at_ = {};
    for (const ConnectionPtr& connection : left) {
        connection->is_home_gone = true;
        connection->is_home_vanished = !connection->mirror->has_ended();
        queue(connection);
        forget_if_over(connection);
    }
    for (const ConnectionPtr& connection : kept) {
        spdlog::warn("node {}: it does not let go of a connection that is over", connection->node->text);
        lose_far(connection);
    }
    return has_more;
}

void Bridge::free_idle_bells() {
    for (auto& [pair, bells] : own_bells_) {
        std::erase_if(bells, [this](const auto& bell) {
            const bool is_idle = bell->is_idle();
            if (is_idle) poller_.remove(bell->waiter_fd());
            return is_idle;
        });
    }
    std::erase_if(own_bells_, [](const auto& entry) { return entry.second.empty(); });
}

void Bridge::look_now_and_then() {
    const bool has_more = look_for_left_behind();
    program_bells_.forget_idle();
    free_idle_bells();
    poller_.after(has_more ? kLookAgainNs : kNsPerSecond, [this] { look_now_and_then(); });
}

}  // namespace xylem::bridge
