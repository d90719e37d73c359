// Bridge: how a connection comes to be. The agent of the connecting domain offers a slab, as to any other
// agent; the far bridge makes one of the same size and offers it to the agent over there. What that one says
// is the answer. An agent waits a second for it, so none of the steps here may take longer: a node that
// cannot be reached is given up before, and from then on costs nothing but the question, until it is reached
// again (nodes.cpp).
#include <errno.h>
#include <spdlog/spdlog.h>
#include <string.h>
#include <sys/socket.h>

#include <utility>

#include "control/protocol/reason.hpp"
#include "control/protocol/remote_domain.hpp"
#include "control/protocol/session_protocol.h"
#include "rdma-bridge/bridge.hpp"
#include "rdma-bridge/node_name.hpp"
#include "vsock-transport/base/clock.hpp"
#include "vsock-transport/local/memory_check.hpp"
#include "vsock-transport/local/side_lock.hpp"
#include "vsock-transport/local/slab_memfd.hpp"

namespace xylem::bridge {
namespace {

constexpr std::uint64_t kAnswerNs = 800 * kNsPerMs;
constexpr std::size_t kMostAskedFor = 4096;  // by a node, and not answered here yet; or to be asked of one

// What one domain asks must not cost the others the link that all of them share.
bool takes_question(const Node& node) {
    return node.link != nullptr ? !node.link->is_behind() : node.waiting.size() < kMostAskedFor;
}

SlabGeometry geometry_of(const std::uint64_t (&ring_size_bytes)[2]) {
    return {{ring_size_bytes[0], ring_size_bytes[1]}};
}

}  // namespace

// Others are to have room, whoever opened what this one has.
bool Bridge::is_domain_full(const Pair& pair) const {
    const auto found = of_domain_.find(pair.local);
    return found != of_domain_.end() && found->second >= settings_.most_connections / 4;
}

// From an agent here.
void Bridge::on_connect(AgentLink& link, Received& message) {
    const auto& ask = *message.as<LinkConnectMessage>();
    auto connection = std::make_shared<Connection>();
    Connection& c = *connection;
    c.key = {link.pair(), link.pair().local, ask.connection_id};
    c.asker = &link;
    c.request_id = ask.header.request_id;
    c.question = ask;
    asking_.insert(connection);
    if (++link.asked_count > AgentLink::kMostQuestions) return answer_agent(connection, Reason::backlog_full);
    const bool is_dry_run = (ask.flags & kConnectDryRun) != 0;
    const SlabGeometry geometry = geometry_of(ask.ring_size_bytes);
    if (!is_dry_run) {
        const bool is_sound = geometry.is_valid() && ask.slab_bytes == geometry.slab_bytes() &&
                              message.fd_count == 1 && connections_.count(c.key) == 0 &&
                              is_sound_memory(message.fds[0].get(), ask.slab_bytes, Access::read_write);
        if (!is_sound) return answer_agent(connection, Reason::bad_request);
        if (is_domain_full(c.key.pair)) return answer_agent(connection, Reason::quota_reached);
    }
    Node* node = node_for(c.key.pair);  // before anything is made for it
    if (node == nullptr) return answer_agent(connection, why_no_node(c.key.pair));
    if (!takes_question(*node)) return answer_agent(connection, Reason::backlog_full);
    if (!is_dry_run) {
        auto slab = Mapping::shared(message.fds[0].get(), ask.slab_bytes, PROT_READ | PROT_WRITE);
        if (!slab) return answer_agent(connection, Reason::no_memory);
        c.slab_fd = std::move(message.fds[0]);
        lock_side(c.slab_fd.get(), ask.connection_id, 1);  // before the agent hears that the end is there
        if (!attach(connection, Mirror::make(std::move(*slab), geometry, c.home_side)))
            return answer_agent(connection, Reason::no_memory);
    }
    c.answer_timer =
        poller_.after(kAnswerNs, [this, connection] { on_opened(connection, Reason::node_unreachable); });
    if (node->link != nullptr) return open_on(*node, connection);
    node->waiting.push_back(connection);
}

void Bridge::open_on(Node& node, const ConnectionPtr& connection) {
    Connection& c = *connection;
    if (c.asker == nullptr) return forget(connection);  // nobody waits for it any more
    c.node = &node;
    c.is_cut = false;
    if (c.number == 0) c.number = last_number_ = node.free_number(last_number_);
    node.connections[c.number] = connection;
    auto open = make_frame<OpenFrame>(FrameKind::open, c.number);
    open.connection_id = c.key.connection_id;
    open.source = c.question.source;
    open.destination = c.question.destination;
    open.ring_size_bytes[0] = c.question.ring_size_bytes[0];
    open.ring_size_bytes[1] = c.question.ring_size_bytes[1];
    open.from_domain = c.key.pair.local;
    open.to_domain = domain_on_node(c.key.pair.remote);
    open.flags = c.question.flags;
    open.spin_ns = c.question.spin_ns;
    node.link->send(&open, sizeof open);
}

bool Bridge::attach(const ConnectionPtr& connection, Result<Mirror> mirror) {
    Connection& c = *connection;
    if (!mirror) return false;
    auto& bells = own_bells_[c.key.pair];
    for (const auto& bell : bells) {
        c.bit = bell->take_bit();
        if (c.bit == kReadyBits) continue;
        c.bell = bell.get();
        break;
    }
    if (c.bell == nullptr) {
        auto made = OwnBell::make(++last_bell_, c.key.pair);
        if (!made) return false;
        c.bell = made->get();
        c.bit = c.bell->take_bit();
        const int waiter = c.bell->waiter_fd();
        poller_.add(waiter, EPOLLIN, [waiter](std::uint32_t) { drain_local(waiter); });
        bells.push_back(std::move(*made));
    }
    by_bit_[std::uint64_t{c.bell->id()} << 16 | c.bit] = connection;
    c.mirror.emplace(std::move(*mirror));
    look_at_home(c);  // an agent that asks, or names the end again, has it
    c.mirror->show_reader(c.bell->token(c.bit));
    c.mirror->show_writer(WaitToken());
    connections_[c.key] = connection;
    ++of_domain_[c.key.pair.local];
    return true;
}

// What the agents here call what another node's bridge speaks of.
ConnectionKey Bridge::key_at_listener(Node& node, std::uint32_t from_domain, std::uint32_t to_domain,
                                      std::uint64_t connection_id) {
    if (node.node_number == 0) node.node_number = number_of_node(node.text.c_str());
    const std::uint32_t far_domain = remote_domain(node.node_number, from_domain);
    return {{to_domain, far_domain}, far_domain, connection_id};
}

// From a bridge of another node.
void Bridge::on_open(Node& node, const OpenFrame& frame) {
    const ConnectionPtr known = node.find(frame.header.connection);
    const ConnectionKey key = key_at_listener(node, frame.from_domain, frame.to_domain, frame.connection_id);
    if (known != nullptr && known->is_cut && known->key == key) return open_again(known);
    auto connection = std::make_shared<Connection>();
    Connection& c = *connection;
    c.node = &node;
    c.number = frame.header.connection;
    c.home_side = 1;
    c.key = key;
    const SlabGeometry geometry = geometry_of(frame.ring_size_bytes);
    const bool is_dry_run = (frame.flags & kConnectDryRun) != 0;
    const bool is_sound = node_number_of(key.pair.remote) != 0 && !is_remote_domain(frame.to_domain) &&
                          !is_remote_domain(frame.from_domain) && geometry.is_valid() &&
                          connections_.count(c.key) == 0 && may_use_number(node, c.number, nullptr);
    if (!is_sound) return on_opened(connection, Reason::bad_request);
    if (node.asked_for >= kMostAskedFor) return on_opened(connection, Reason::backlog_full);
    const bool is_full =
        is_domain_full(c.key.pair) || node.connections.size() >= settings_.most_connections / 2;
    if (is_full) return on_opened(connection, Reason::quota_reached);
    AgentLink* agent = out_link(c.key.pair);
    if (agent == nullptr) return on_opened(connection, Reason::no_peer_agent);
    if (agent->question_count() >= AgentLink::kMostQuestions)
        return on_opened(connection, Reason::backlog_full);
    auto question = make_message<LinkConnectMessage>(kLinkMagic, LinkMessage::connect, 0);
    question.connection_id = frame.connection_id;
    question.source = frame.source;
    question.destination = frame.destination;
    question.ring_size_bytes[0] = frame.ring_size_bytes[0];
    question.ring_size_bytes[1] = frame.ring_size_bytes[1];
    question.flags = frame.flags;
    question.spin_ns = frame.spin_ns;
    UniqueFd theirs;
    if (!is_dry_run) {
        question.slab_bytes = geometry.slab_bytes();
        Result<UniqueFd> made = make_sealed_memfd("xylem-slab", geometry.slab_bytes());
        if (!made) return on_opened(connection, Reason::no_memory);
        auto slab = Mapping::shared(made->get(), geometry.slab_bytes(), PROT_READ | PROT_WRITE);
        if (!slab) return on_opened(connection, Reason::no_memory);
        initialise_slab(*slab, geometry);
        c.slab_fd = std::move(*made);
        lock_side(c.slab_fd.get(), frame.connection_id, 0);
        theirs = reopened_slab(c.slab_fd.get());
        if (!theirs || !attach(connection, Mirror::make(std::move(*slab), geometry, c.home_side)))
            return on_opened(connection, Reason::no_memory);
    }
    node.connections[c.number] = connection;
    std::vector<int> fds;
    if (theirs) fds.push_back(theirs.get());
    ++node.asked_for;
    c.asked_by = &node;
    c.answer_timer = poller_.after(kAnswerNs, [this, connection] {
        end_question(*connection);
        on_opened(connection, Reason::no_peer_agent);  // by now the far agent has given up
    });
    agent->ask(question, fds, [this, connection](Received* answer) {
        end_question(*connection);
        on_offered(connection, answer);
    });
}

// Answered, or not answered in time: what comes after that is undone (on_offered()).
void Bridge::end_question(Connection& c) {
    poller_.cancel(c.answer_timer);
    c.answer_timer = 0;
    if (c.asked_by != nullptr) --std::exchange(c.asked_by, nullptr)->asked_for;
}

void Bridge::on_offered(const ConnectionPtr& connection, Received* answer) {
    const auto* told = answer != nullptr ? answer->as<LinkConnectedMessage>() : nullptr;
    const bool is_reason = told != nullptr && told->reason != 0 && told->reason < kReasonCount;
    const Reason reason = is_reason ? static_cast<Reason>(told->reason) : Reason::no_peer_agent;
    Connection& c = *connection;
    if (c.node != nullptr) return on_opened(connection, reason);
    // The node that asked was lost meanwhile, or was told that nobody answers.
    if (reason != Reason::ring || !c.mirror) return;
    kick(c, c.mirror->reset());
    tell_agent(c, LinkMessage::ended);
}

bool Bridge::on_opened_frame(Node& node, const OpenedFrame& frame) {
    if (frame.reason == 0 || frame.reason >= kReasonCount) return false;
    const ConnectionPtr connection = node.find(frame.header.connection);
    const auto reason = static_cast<Reason>(frame.reason);
    if (connection != nullptr) {
        if (!connection->is_open) on_opened(connection, reason);
        return true;
    }
    if (reason != Reason::ring) return true;
    auto gone =
        make_frame<GoneFrame>(FrameKind::gone, frame.header.connection);  // nobody waits for it any more
    node.link->send(&gone, sizeof gone);
    return true;
}

// The answer, whoever asked: an agent here, or the far bridge.
void Bridge::on_opened(const ConnectionPtr& connection, Reason reason) {
    Connection& c = *connection;
    if (c.home_side == 1 && c.link() != nullptr) {
        auto opened = make_frame<OpenedFrame>(FrameKind::opened, c.number);
        opened.reason = static_cast<std::uint32_t>(reason);
        c.link()->send(&opened, sizeof opened);
    }
    if (c.home_side == 0) answer_agent(connection, reason);
    if (reason != Reason::ring || !c.mirror) return forget(connection);
    c.is_open = true;
    look_at_home(c);  // an agent that was asked has it by now
    queue(connection);
}

// The agent that asked is gone. Whoever answers is told that nobody waits (on_opened_frame()).
void Bridge::stop_asking(const ConnectionPtr& connection) {
    connection->asker = nullptr;
    poller_.cancel(connection->answer_timer);
    forget(connection);
}

void Bridge::answer_agent(const ConnectionPtr& connection, Reason reason) {
    Connection& c = *connection;
    if (c.asker == nullptr) return;
    auto answer = make_message<LinkConnectedMessage>(kLinkMagic, LinkMessage::connected, c.request_id);
    answer.connection_id = c.key.connection_id;
    answer.reason = static_cast<std::uint32_t>(reason);
    --c.asker->asked_count;
    c.asker->send(answer);
    c.asker = nullptr;
    asking_.erase(connection);
    poller_.cancel(c.answer_timer);
    if (reason != Reason::ring) forget(connection);
}

}  // namespace xylem::bridge
