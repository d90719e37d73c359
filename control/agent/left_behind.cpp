// LeftBehind. As long as the far agent lives, it says when an end of its domain is gone. One that died says
// nothing, and the next one knows only the ends that programs name to it (`rejoin`): of a program that died
// in between, or of a listener that was closed then, with its queue, it will never know. So once a link is
// lost, the ends that there are with that domain are looked at, soon and then ever more seldom, until they
// are gone: whether the far side still has the slab (side_lock.cpp; of granted pages HolderBytes, by the word
// of the far guest's kernel). Where it has not, the end is treated as if the far agent had said `vanished`. A
// program that lives has the slab, whether it spoke to the new agent already or sleeps. What was lent, and
// not adopted yet, goes with the agent that lent it: it held the slab, and the next agent could not give it
// to anybody. Where memory is short, what is known is shown later.
//
// The far side of an end with a domain of another node is the bridge's. One that died may be started again,
// and what it knew is in the slabs: for a while each is offered to whatever bridge there is. Of a rejoined
// end there is no slab here; the bridge says whether it has it, and hands over what the next bridge will
// need.
//
// Not told are survivors that have no agent with memory of the connection: those of one domain that lost its
// agent have none at either side, nor have those of two domains that both lost theirs.
#include "control/agent/left_behind.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "control/agent/agent.hpp"
#include "control/agent/end_closing.hpp"
#include "control/agent/slab_blocks.hpp"
#include "control/agent/xen/xen_peers.hpp"
#include "control/protocol/remote_domain.hpp"
#include "vsock-transport/local/memory_check.hpp"
#include "vsock-transport/local/side_lock.hpp"

namespace xylem::agent {
namespace {

constexpr std::uint64_t kFirstPauseNs = 100 * kNsPerMs;  // who is killed together dies within that
constexpr std::uint64_t kLongestPauseNs = 10 * kNsPerSecond;
// Looking is a system call an end, which a hostile peer can make slow. Other sources get their turns.
constexpr std::uint64_t kTurnNs = kNsPerMs;
// For a bridge to be started again, and how often it is looked for.
constexpr std::uint64_t kBridgePatienceNs = 10 * kNsPerSecond;
constexpr std::uint64_t kBridgePauseNs = 200 * kNsPerMs;

// Granted pages that cannot be mapped now say nothing.
bool has_far_side(const End& end) {
    const unsigned far_side = 1 - end.identity.side;
    if (!end.identity.is_granted || !end.has_memory())
        return is_side_locked(end.slab_fd(), end.identity.connection_id, far_side);
    const Result<Mapping> blocks = map_blocks(end);
    return !blocks || may_be_held(holders_of(*blocks, far_side));
}

}  // namespace

void LeftBehind::doubt(std::uint32_t domain) {
    agent_.ends.for_each([&](const End& end) {
        if (end.identity.peer_domain != domain) return;
        const bool is_granted = end.has_memory() && end.identity.is_granted;
        if (end.is_far_side_seen || is_granted || is_remote_domain(domain))
            doubtful_[end.id()].since_ns = now_ns();
    });
    look_soon();
}

void LeftBehind::doubt_rejoined(const End& end) {
    if (end.identity.is_granted && agent_.xen != nullptr) agent_.xen->look_for(end.identity.peer_domain);
    if (end.has_memory() || !is_remote_domain(end.identity.peer_domain)) return;
    doubtful_[end.id()].since_ns = now_ns();
    look_soon();
}

void LeftBehind::show_later(const End& end) {
    doubtful_[end.id()].is_sure = true;
    look_soon();
}

// Whoever gives rise to doubts again and again must not put off the look that is due.
void LeftBehind::look_soon() {
    pause_ns_ = kFirstPauseNs;
    if (!timer_ || due_ns_ > now_ns() + pause_ns_) look_after(pause_ns_);
}

void LeftBehind::look_after(std::uint64_t delay_ns) {
    timer_ = Watch();
    due_ns_ = now_ns() + delay_ns;
    if (!doubtful_.empty()) timer_ = agent_.loop.after(delay_ns, [this] { look(); });
}

void LeftBehind::look() {
    const std::uint64_t until_ns = now_ns() + kTurnNs;
    while (now_ns() < until_ns) {
        const auto next = doubtful_.upper_bound(last_);
        if (next == doubtful_.end()) {
            last_ = 0;
            pause_ns_ = std::min(2 * pause_ns_, waits_for_bridge_ ? kBridgePauseNs : kLongestPauseNs);
            waits_for_bridge_ = false;
            return look_after(pause_ns_);
        }
        last_ = next->first;
        if (!look_at(last_, next->second)) doubtful_.erase(last_);
    }
    look_after(kTurnNs);
}

// Whether there is still something to doubt.
bool LeftBehind::look_at(EndId id, Doubt& doubt) {
    End* end = agent_.ends.find(id);
    if (end == nullptr) return false;
    if (doubt.is_sure) return !show_again(agent_, *end);
    const ConnectionKey key = key_of(*end);
    const std::uint32_t peer_domain = end->identity.peer_domain;
    if (end->has_slab() && has_far_side(*end)) {
        doubt.since_ns = now_ns();
        doubt.is_missed = false;
        return true;
    }
    // Between two programs that one process runs (exec) nobody maps granted pages.
    if (end->identity.is_granted && !std::exchange(doubt.is_missed, true)) return true;
    if (is_remote_domain(peer_domain) && may_return(*end, doubt)) return true;
    end_for_far_side(key, peer_domain);
    return doubt.is_sure;  // by now: it could not be shown
}

bool LeftBehind::may_return(const End& end, Doubt& doubt) {
    if (now_ns() - doubt.since_ns > kBridgePatienceNs) return false;
    waits_for_bridge_ = true;
    if (!std::exchange(doubt.is_offered, true)) offer(end);
    return true;
}

void LeftBehind::offer(const End& end) {
    auto message = make_message<LinkRejoinMessage>(kLinkMagic, LinkMessage::rejoin, 0);
    const ConnectionKey key = key_of(end);
    message.connection_id = key.connection_id;
    message.connecting_domain = key.connecting_domain;
    message.side = key.side;
    for (unsigned side = 0; side < 2; ++side)
        message.ring_size_bytes[side] = end.identity.geometry.ring_size_bytes[side];
    // A description of its own, which the bridge's lock is to be on.
    const UniqueFd slab = end.has_slab() ? reopened_slab(end.slab_fd()) : UniqueFd();
    if (end.has_slab() && !slab) return on_offered(end.id(), nullptr);
    std::vector<int> fds;
    if (slab) fds.push_back(slab.get());
    agent_.links.ask(end.identity.peer_domain, message, fds,
                     [this, id = end.id()](Reason, Received* answer) { on_offered(id, answer); });
}

void LeftBehind::on_offered(EndId id, Received* answer) {
    const auto found = doubtful_.find(id);
    if (found == doubtful_.end()) return;
    found->second.is_offered = false;
    if (answer == nullptr) return;
    const auto* told = answer->as<LinkRejoinedMessage>();  // null: it answered something else
    if (told == nullptr || told->reason != static_cast<std::uint32_t>(Reason::ring)) {
        found->second.since_ns = 0;
    } else if (End* end = agent_.ends.find(id); end != nullptr && !end->has_memory()) {
        const SlabGeometry geometry{{told->ring_size_bytes[0], told->ring_size_bytes[1]}};
        const bool is_sound =
            answer->fd_count == 1 && geometry.is_valid() &&
            is_sound_memory(answer->fds[0].get(), geometry.slab_bytes(), Access::read_write);
        if (is_sound) {
            end->identity.geometry = geometry;
            end->bridge_slab = std::move(answer->fds[0]);
        }
        doubtful_.erase(found);  // until that bridge ends, too
    }
}

void LeftBehind::end_for_far_side(const ConnectionKey& key, std::uint32_t peer_domain) {
    ++agent_.counters.left_behind;
    far_end_over(agent_, key, peer_domain, FarEnd::vanished);
    if (key.connecting_domain == agent_.settings.domain) agent_.pool.ended(key.connection_id, peer_domain, 1);
}

// The pool keeps what is the guest's: it may not have been destroyed (xen/xen_peer_leaving.cpp).
void LeftBehind::on_guest_gone(std::uint32_t domain) {
    std::vector<ConnectionKey> keys;
    agent_.ends.for_each([&](const End& end) {
        if (end.identity.peer_domain == domain && end.identity.is_granted) keys.push_back(key_of(end));
    });
    for (const ConnectionKey& key : keys) {
        ++agent_.counters.left_behind;
        far_end_over(agent_, key, domain, FarEnd::vanished);
    }
}

}  // namespace xylem::agent
