// Bridge: a link that is lost, and the next one. The bytes that were under way are still in the rings, so a
// connection is cut, not ended; whoever dialled names it again on the next link, and both go on from what
// the other one had received. One that was just being opened is opened once more. A node that stays away for
// longer than the patience is gone.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "control/protocol/reason.hpp"
#include "control/protocol/remote_domain.hpp"
#include "rdma-bridge/bridge.hpp"
#include "vsock-transport/base/clock.hpp"

namespace xylem::bridge {
namespace {

constexpr std::size_t kMostEarly = 1 << 16;  // of a node

}  // namespace

void Bridge::cut(Node& node) {
    node.link = nullptr;
    node.early.clear();
    node.turns.clear();
    std::vector<ConnectionPtr> unused;
    for (const auto& [number, connection] : node.connections) {
        const bool is_asked_for_here = !connection->is_open && connection->home_side == 0;
        if (is_asked_for_here) node.waiting.push_back(connection);
        note_cut(*connection);
        // Who calls in it would wait for the link, in the place of going another way.
        if (connection->is_open && connection->mirror->is_between_uses()) unused.push_back(connection);
    }
    for (const ConnectionPtr& connection : node.waiting) leave_node(connection);
    for (const ConnectionPtr& connection : unused) lose_far(connection);
    if (!node.connections.empty()) begin_patience(node);
}

// One that was cut and not resumed since has been cut for all that time.
void Bridge::note_cut(Connection& connection) {
    if (!std::exchange(connection.is_cut, true)) connection.cut_ns = now_ns();
}

// However often links come and go: for each connection from when it was cut.
void Bridge::begin_patience(Node& node) {
    if (node.patience == 0) wait_for_cut(node, settings_.patience_ns);
}

void Bridge::wait_for_cut(Node& node, std::uint64_t time_ns) {
    node.patience = poller_.after(time_ns, [this, &node] {
        node.patience = 0;
        const std::uint64_t now = now_ns();
        lose_cut(node, now - std::min(now, settings_.patience_ns));
        std::uint64_t first_ns = now;
        bool is_any = false;
        for (const auto& [number, connection] : node.connections) {
            if (!connection->is_cut) continue;
            is_any = true;
            first_ns = std::min(first_ns, connection->cut_ns);
        }
        if (is_any) wait_for_cut(node, first_ns + settings_.patience_ns - now);
    });
}

void Bridge::lose_cut(Node& node, std::uint64_t before_ns) {
    std::vector<ConnectionPtr> lost;
    for (const auto& [number, connection] : node.connections) {
        if (connection->is_cut && connection->cut_ns <= before_ns) lost.push_back(connection);
    }
    const auto missed =
        std::count_if(lost.begin(), lost.end(), [](const auto& c) { return !c->is_home_gone; });
    if (missed > 0) spdlog::warn("node {}: {} connections cannot go on", node.text, missed);
    for (const ConnectionPtr& connection : lost) lose_far(connection);
}

void Bridge::resume_all(Node& node) {
    if (node.connections.empty()) return;
    spdlog::info("node {}: {} connections go on", node.text, node.connections.size());
    for (const auto& [number, connection] : node.connections) ask_to_resume(*connection);
}

void Bridge::ask_to_resume(const Connection& connection) {
    auto frame = make_frame<ResumeFrame>(FrameKind::resume, connection.number);
    frame.connection_id = connection.key.connection_id;
    frame.from_domain = connection.key.pair.local;
    frame.to_domain = domain_on_node(connection.key.pair.remote);
    frame.progress = connection.mirror->progress();
    connection.node->link->send(&frame, sizeof frame);
}

void Bridge::say_caught_up(Node& node) {
    const auto frame = make_frame<CaughtUpFrame>(FrameKind::caught_up);
    node.link->send(&frame, sizeof frame);
}

void Bridge::say_gone(Node& node, std::uint32_t number) {
    const auto frame = make_frame<GoneFrame>(FrameKind::gone, number);
    node.link->send(&frame, sizeof frame);
}

void Bridge::on_resume(Node& node, const ResumeFrame& frame) {
    const ConnectionKey key = key_at_listener(node, frame.from_domain, frame.to_domain, frame.connection_id);
    const auto known = connections_.find(key);
    if (known != connections_.end() && known->second->node == &node) return resume_for(known->second, frame);
    if (!is_young() || node.early.size() >= kMostEarly) return say_gone(node, frame.header.connection);
    node.early.insert_or_assign(key, frame);  // its agent may still name it
}

// Whether that number on its link can be the connection's (null: a new one's). A dialler that began anew
// counts anew: whoever had the number before, and waits to be resumed under another one, gives it up.
bool Bridge::may_use_number(Node& node, std::uint32_t number, const ConnectionPtr& connection) {
    if (number >= kUnnumbered) return false;
    const ConnectionPtr holder = node.find(number);
    if (holder == nullptr || holder == connection) return true;
    if (!holder->is_cut) return false;
    node.connections.erase(number);
    holder->number = kUnnumbered | ++last_unnumbered_;
    node.connections[holder->number] = holder;
    return true;
}

void Bridge::resume_for(const ConnectionPtr& connection, const ResumeFrame& frame) {
    Connection& c = *connection;
    Node& node = *c.node;
    const std::uint32_t number = frame.header.connection;
    const bool is_free = may_use_number(node, number, connection);
    const bool may_go_on = c.home_side == 1 && c.is_open && c.is_cut && is_free;
    if (!may_go_on || !resume(connection, frame.progress)) return say_gone(node, number);
    node.connections.erase(c.number);
    c.number = number;
    node.connections[number] = connection;
    auto answer = make_frame<ResumedFrame>(FrameKind::resumed, number);
    answer.progress = c.mirror->progress();
    node.link->send(&answer, sizeof answer);
}

bool Bridge::on_resumed(Node& node, const ResumedFrame& frame) {
    const ConnectionPtr connection = node.find(frame.header.connection);
    if (connection != nullptr && (!connection->is_cut || resume(connection, frame.progress))) return true;
    // It was given up here while the answer was on its way; or one of the two says what cannot be, most
    // likely a program in its own words: that costs this connection.
    say_gone(node, frame.header.connection);
    if (connection != nullptr) lose_far(connection);
    return true;
}

// False: the node cannot have come so far.
bool Bridge::resume(const ConnectionPtr& connection, const Progress& far) {
    Connection& c = *connection;
    if (!c.mirror->resume(far)) return false;
    c.is_cut = false;
    c.is_gone_sent = false;
    c.has_offered_window = false;
    c.last_sent = {};
    c.owes_tail = true;
    queue(connection);
    return true;
}

// The dialler asks for it once more: it did not hear the answer, and passed over what came behind it.
void Bridge::open_again(const ConnectionPtr& connection) {
    Connection& c = *connection;
    if (!c.is_open) {
        c.is_cut = false;  // its agent has not answered
    } else if (resume(connection, {})) {
        on_opened(connection, Reason::ring);
    } else {
        lose_far(connection);
    }
}

}  // namespace xylem::bridge
