// Bridge: one that begins where another one ended. What that one knew is in the slabs, which the agents have:
// they name their ends to us, and these are resumed as after the loss of a link. For a while after its
// beginning a bridge says nothing final about connections that it does not know.
#include <spdlog/spdlog.h>

#include <utility>

#include "control/protocol/reason.hpp"
#include "rdma-bridge/bridge.hpp"
#include "vsock-transport/base/clock.hpp"
#include "vsock-transport/local/memory_check.hpp"
#include "vsock-transport/local/side_lock.hpp"

namespace xylem::bridge {
namespace {

constexpr std::uint64_t kYouthNs = 3 * kNsPerSecond;  // agents look for a bridge several times a second

}  // namespace

void Bridge::be_young() {
    young_until_ns_ = now_ns() + kYouthNs;
    poller_.after(kYouthNs, [this] { grow_up(); });
}

bool Bridge::is_young() const { return now_ns() < young_until_ns_; }

// Agents had the time to name what they have.
void Bridge::grow_up() {
    young_until_ns_ = 0;
    for (auto& [text, node] : dialled_) {
        if (node.link != nullptr) say_caught_up(node);
    }
    for (auto& [text, node] : reached_by_) {
        for (const auto& [key, frame] : std::exchange(node.early, {}))
            say_gone(node, frame.header.connection);
    }
}

void Bridge::on_rejoin(AgentLink& link, Received& message) {
    const auto& said = *message.as<LinkRejoinMessage>();
    auto answer =
        make_message<LinkRejoinedMessage>(kLinkMagic, LinkMessage::rejoined, said.header.request_id);
    answer.connection_id = said.connection_id;
    const ConnectionKey key{link.pair(), said.connecting_domain, said.connection_id};
    const auto known = connections_.find(key);
    UniqueFd slab;  // behind a description of its own, as whoever looks at our lock needs it
    Reason reason = Reason::ring;
    if (known == connections_.end()) {
        reason = adopt(key, said, std::move(message.fds[0]));
    } else if (known->second->mirror && message.fd_count == 0) {
        const SlabGeometry& geometry = known->second->mirror->geometry();
        for (unsigned side = 0; side < 2; ++side)
            answer.ring_size_bytes[side] = geometry.ring_size_bytes[side];
        slab = reopened_slab(known->second->slab_fd.get());
    }
    answer.reason = static_cast<std::uint32_t>(reason);
    link.send(answer, slab ? std::vector<int>{slab.get()} : std::vector<int>{});
}

Reason Bridge::adopt(const ConnectionKey& key, const LinkRejoinMessage& said, UniqueFd slab_fd) {
    const Pair& pair = key.pair;
    const SlabGeometry geometry{{said.ring_size_bytes[0], said.ring_size_bytes[1]}};
    const bool is_sound = said.side <= 1 && geometry.is_valid() && slab_fd &&
                          said.connecting_domain == (said.side == 0 ? pair.local : pair.remote) &&
                          is_sound_memory(slab_fd.get(), geometry.slab_bytes(), Access::read_write);
    if (!is_sound) return Reason::bad_request;
    if (is_domain_full(pair)) return Reason::quota_reached;
    Node* node = known_node(said.side == 0 ? dialled_ : reached_by_, pair);
    if (node == nullptr) return Reason::other_node;
    auto slab = Mapping::shared(slab_fd.get(), geometry.slab_bytes(), PROT_READ | PROT_WRITE);
    if (!slab) return Reason::no_memory;
    auto mirror = Mirror::adopt(std::move(*slab), geometry, said.side);
    if (!mirror) return Reason::bad_request;
    auto connection = std::make_shared<Connection>();
    Connection& c = *connection;
    c.key = key;
    c.home_side = said.side;
    c.slab_fd = std::move(slab_fd);
    lock_side(c.slab_fd.get(), key.connection_id, 1 - c.home_side);
    if (!attach(connection, std::move(mirror))) return Reason::no_memory;
    c.is_open = true;
    note_cut(c);
    c.node = node;
    if (c.home_side == 0) last_number_ = node->free_number(last_number_);
    c.number = c.home_side == 0 ? last_number_ : kUnnumbered | ++last_unnumbered_;
    node->connections[c.number] = connection;
    begin_patience(*node);
    spdlog::debug("domain {}: a connection with {} was left by another bridge", pair.local, node->text);
    if (c.home_side == 0) {
        node->link != nullptr ? ask_to_resume(c) : dial_again(*node);
    } else if (const auto early = node->early.extract(key); early && node->link != nullptr) {
        resume_for(connection, early.mapped());
    }
    return Reason::ring;
}

}  // namespace xylem::bridge
