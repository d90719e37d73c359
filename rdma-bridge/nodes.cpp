// Bridge: links with the bridges of other nodes, which kinds of frames there are, and how a node is found
// again when its link was lost.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <utility>

#include "control/protocol/remote_domain.hpp"
#include "rdma-bridge/bridge.hpp"
#include "rdma-bridge/node_name.hpp"
#include "vsock-transport/base/clock.hpp"

namespace xylem::bridge {
namespace {

constexpr std::size_t kMostListened = 1024;
constexpr std::ptrdiff_t kMostNamesOfAddress = 16;
constexpr std::uint64_t kFirstDelayNs = 50 * kNsPerMs;
constexpr std::uint64_t kMaxDelayNs = 5 * kNsPerSecond;
constexpr std::uint64_t kMaxDelayOfCutNs = kNsPerSecond;  // while connections wait
constexpr std::uint64_t kShortLifeNs = kNsPerSecond;
constexpr unsigned kMostShortLives = 3;  // before it is given time
constexpr std::ptrdiff_t kMostStrangers = 64;

std::string host_of(const Wire& wire) {
    SocketName peer = wire.peer_name();
    peer.port = 0;
    return node_text(peer).text;
}

template <class Frame>
Frame read_frame(const std::byte* bytes) {
    Frame frame;
    std::memcpy(&frame, bytes, sizeof frame);
    return frame;
}

}  // namespace

// For a caller that has shown no key. When all places are taken, the address that has most of them gives up
// the one that it has had for longest, unless it is the one that calls: a host that is silent keeps no other
// out. False: there is none.
bool Bridge::make_place_for(const std::string& host) {
    std::map<std::string, std::vector<NodeLink*>> strangers;
    std::ptrdiff_t count = 0;
    for (const auto& link : listened_) {
        if (link->state() == NodeLinkState::ready) continue;
        strangers[link->host].push_back(link.get());
        ++count;
    }
    if (count < kMostStrangers) return true;
    const auto most = std::max_element(strangers.begin(), strangers.end(), [](const auto& a, const auto& b) {
        return a.second.size() < b.second.size();
    });
    if (strangers[host].size() + 1 >= most->second.size()) return false;
    most->second.front()->break_it("its place is needed");
    return true;
}

void Bridge::accept_node(std::unique_ptr<Wire> wire) {
    const std::string host = host_of(*wire);
    if (listened_.size() >= kMostListened || !make_place_for(host)) return;
    listened_.push_back(std::make_unique<NodeLink>(poller_, key_, std::move(wire), Role::listener, own_name(),
                                                   SocketName{}, node_events()));
    listened_.back()->host = host;
    listened_.back()->begin();
}

NodeLink::Events Bridge::node_events() {
    return {[this](NodeLink& link) { on_node_ready(link); },
            [this](NodeLink& link, const FrameHeader& header, const std::byte* bytes) {
                return on_frame(*link.node, header, bytes);
            },
            [this](NodeLink& link, const DataFrame& frame, std::size_t left_bytes, Mirror::Room& room) {
                return place_data(*link.node, frame, left_bytes, room);
            },
            [this](NodeLink& link, std::uint32_t number, std::size_t bytes) {
                note_received(*link.node, number, bytes);
            },
            [this](NodeLink& link, const std::string& why) { on_node_broken(link, why); }};
}

bool Bridge::on_frame(Node& node, const FrameHeader& header, const std::byte* bytes) {
    const bool is_dialled = node.link->role() == Role::dialler;
    const auto is = [&](FrameKind wanted, std::size_t size_bytes) {
        return static_cast<FrameKind>(header.kind) == wanted && header.length_bytes == size_bytes;
    };
    if (is(FrameKind::update, sizeof(UpdateFrame))) return on_update(node, read_frame<UpdateFrame>(bytes));
    if (is(FrameKind::placed, sizeof(PlacedFrame))) return on_placed(node, read_frame<PlacedFrame>(bytes));
    if (is(FrameKind::window, sizeof(WindowFrame))) return on_window(node, read_frame<WindowFrame>(bytes));
    if (is(FrameKind::gone, sizeof(GoneFrame))) {
        on_gone(node, read_frame<GoneFrame>(bytes));
    } else if (is_dialled) {
        if (is(FrameKind::opened, sizeof(OpenedFrame)))
            return on_opened_frame(node, read_frame<OpenedFrame>(bytes));
        if (is(FrameKind::resumed, sizeof(ResumedFrame)))
            return on_resumed(node, read_frame<ResumedFrame>(bytes));
        return false;
    } else if (is(FrameKind::open, sizeof(OpenFrame))) {
        on_open(node, read_frame<OpenFrame>(bytes));
    } else if (is(FrameKind::resume, sizeof(ResumeFrame))) {
        on_resume(node, read_frame<ResumeFrame>(bytes));
    } else if (is(FrameKind::caught_up, sizeof(CaughtUpFrame))) {
        lose_cut(node);
    } else {
        return false;
    }
    return true;
}

// Null: no node has that number.
Node* Bridge::known_node(std::map<std::string, Node>& nodes, const Pair& pair) {
    const std::string text = numbered_node(node_number_of(pair.remote)).text;
    if (text.empty()) return nullptr;
    Node& node = nodes[text];
    node.text = text;
    node.node_number = node_number_of(pair.remote);
    return &node;
}

// Null: it cannot be tried, or was in vain the last time. Then it is tried behind the back of whoever asks,
// who goes another way at once: only the first one waits for a node that is away.
Node* Bridge::node_for(const Pair& pair) {
    Node* node = known_node(dialled_, pair);
    if (node == nullptr) return nullptr;
    if (node->delay_ns == 0) return node->dialled != nullptr || dial(*node) ? node : nullptr;
    node->is_missed = true;
    dial_again(*node);
    return nullptr;
}

Reason Bridge::why_no_node(const Pair& pair) {
    const Node* node = known_node(dialled_, pair);
    return node != nullptr && order_for(*node).empty() ? Reason::no_transport : Reason::node_unreachable;
}

bool Bridge::dial(Node& node) {
    node.tried = 0;
    node.is_missed = false;
    if (dial_rest(node)) return true;
    // Where the order leaves nothing, nothing was tried, and the next map may leave more.
    if (!order_for(node).empty()) back_off(node);
    return false;
}

bool Bridge::dial_rest(Node& node) {
    std::unique_ptr<Wire> wire = dial_next(node);
    if (wire == nullptr) return false;
    node.dialled = std::make_unique<NodeLink>(poller_, key_, std::move(wire), Role::dialler, own_name(),
                                              name_of(*node_address(node.text)), node_events());
    node.dialled->node = &node;
    node.dialled->begin();
    return true;
}

// As long as connections wait for it, or somebody missed it.
void Bridge::dial_again(Node& node) {
    const bool is_wanted = !node.connections.empty() || !node.waiting.empty() || node.is_missed;
    if (node.dialled != nullptr || node.redial != 0 || !is_wanted || dial(node)) return;
    if (node.redial == 0) dial_later(node, kFirstDelayNs);
}

// Between half of the delay and all of it: else many bridges would dial a node that is back at the same
// moments, and what breaks links in a rhythm could break each new one.
void Bridge::dial_later(Node& node, std::uint64_t delay_ns) {
    poller_.cancel(node.redial);
    const std::uint64_t least_ns = delay_ns / 2;
    std::uniform_int_distribution<std::uint64_t> spread(least_ns, delay_ns);
    node.redial = poller_.after(spread(random_), [this, &node] {
        node.redial = 0;
        dial_again(node);
    });
}

// It was dialled in vain.
void Bridge::back_off(Node& node) {
    const std::uint64_t max_ns = node.connections.empty() ? kMaxDelayNs : kMaxDelayOfCutNs;
    node.delay_ns = std::clamp(2 * node.delay_ns, kFirstDelayNs, max_ns);
    dial_later(node, node.delay_ns);
}

// A name is the address that a node comes from and the port that it says it listens at, and is kept for ever.
bool Bridge::may_have_name(const std::string& name) const {
    if (reached_by_.count(name) != 0) return true;
    const auto host = [](const std::string& text) {
        auto address = node_address(text);
        if (address) address->set_port(0);
        return address ? name_of(*address) : SocketName{};
    };
    const SocketName own = host(name);
    const auto others = std::count_if(reached_by_.begin(), reached_by_.end(), [&](const auto& entry) {
        const SocketName other = host(entry.first);
        return std::memcmp(&other, &own, sizeof own) == 0;
    });
    return others < kMostNamesOfAddress;
}

void Bridge::on_node_ready(NodeLink& link) {
    spdlog::info("node {}: {} over {}", link.name(),
                 link.role() == Role::dialler ? "reached" : "has reached us", link.wire().name());
    if (link.role() == Role::listener) {
        if (!may_have_name(link.name()))
            return link.break_it("too many bridges say that they are at its address");
        Node& node = reached_by_[link.name()];
        node.text = link.name();
        if (node.link != nullptr) node.link->break_it("the node has dialled again");
        link.node = &node;
    }
    Node& node = *link.node;
    node.link = &link;
    node.ready_ns = now_ns();
    node.delay_ns = 0;
    if (link.role() == Role::listener) return;
    resume_all(node);
    for (const ConnectionPtr& connection : std::exchange(node.waiting, {})) open_on(node, connection);
    if (!is_young()) say_caught_up(node);
}

void Bridge::on_node_broken(NodeLink& link, const std::string& why) {
    const bool was_ready = link.node != nullptr && link.node->link == &link;
    const std::string name = link.node != nullptr ? "node " + link.node->text : "a node";
    // It may be dialled in vain for long.
    const bool is_news = link.node == nullptr || was_ready || link.node->delay_ns == 0;
    spdlog::log(is_news ? spdlog::level::warn : spdlog::level::debug,
                "{}: {}: {} ({} bytes sent, {} received)", name, was_ready ? "the link is lost" : "no link",
                why, link.bytes_sent, link.bytes_received);
    if (link.role() == Role::listener) {
        const auto at =
            std::find_if(listened_.begin(), listened_.end(), [&](const auto& l) { return l.get() == &link; });
        dead_nodes_.push_back(std::move(*at));
        listened_.erase(at);
        if (was_ready) cut(*link.node);
        return;
    }
    Node& node = *link.node;
    dead_nodes_.push_back(std::move(node.dialled));
    if (!was_ready && dial_rest(node)) return;
    for (const ConnectionPtr& connection : std::exchange(node.waiting, {}))
        on_opened(connection, Reason::node_unreachable);
    if (!was_ready) return back_off(node);
    cut(node);
    // It was there a moment ago; but one that is lost as soon as it is there may be so for long.
    const bool was_short = now_ns() - node.ready_ns < kShortLifeNs;
    node.short_lives = was_short ? node.short_lives + 1 : 0;
    if (node.short_lives <= kMostShortLives) return dial_later(node, 0);
    node.delay_ns =
        std::min(kFirstDelayNs << std::min(node.short_lives - kMostShortLives, 8U), kMaxDelayOfCutNs);
    dial_later(node, node.delay_ns);
}

}  // namespace xylem::bridge
