// Keeping, ended by the agent. The word that says `kept` is in the slab, and is taken back by a
// compare-and-swap, which fails if the process uses the connection again at this moment; then all is as if
// the agent had come earlier.
#include "control/agent/end_keeping.hpp"

#include <sys/mman.h>

#include <vector>

#include "control/agent/agent.hpp"
#include "control/agent/end_closing.hpp"
#include "control/agent/queueing.hpp"
#include "control/agent/slab_blocks.hpp"

namespace xylem::agent {
namespace {

bool has_closed(const End& end) {
    return end.has_memory() && (end.end_page()->status.load_acquire() & kClosed) != 0;
}

// False: it is not kept, or a caller waits in it. As Stream::stop_keeping(), which is the process's.
bool take_back(const End& end) {
    if (!has_closed(end)) return false;
    const Result<Mapping> blocks = map_blocks(end);
    if (!blocks) return false;
    const std::uint32_t use = uses_again(end);
    const std::uint32_t kept = tagged_state(use, TxState::kept);
    const std::uint32_t left = tagged_state(use, TxState::left);
    AtomicU32& state = block_of(*blocks, end.identity.side).producer.state;
    const AtomicU32& far = block_of(*blocks, 1 - end.identity.side).producer.state;
    if (use_of(far.load_acquire()) == use + 1 || !state.compare_exchange(kept, left)) return false;
    full_fence();  // before the look for a caller
    if (use_of(far.load_acquire()) == use + 1 && state.compare_exchange(left, kept)) return false;
    end.end_page()->is_revoked.store_release(kTakenBack);
    return true;
}

// Its process looks at the end then.
void ring_listener(Agent& agent, const End& end) {
    full_fence();  // (K1) is_revoked before the look for a waiter
    for (const AtomicU64& slot : end.end_page()->readable_waiters) {
        const WaitToken token(slot.load_relaxed());
        if (token) agent.ring(agent.settings.domain, token);
    }
}

void forget(Agent& agent, const End& end) {
    ring_listener(agent, end);
    for (const SessionId holder : end.holders) {
        if (const SessionPtr session = agent.sessions.find(holder)) session->ends.erase(end.id());
    }
    finish(agent, end.id(), CloseMode::orderly);
}

}  // namespace

std::uint32_t uses_again(const End& end) {
    return end.has_memory() ? end.end_page()->use.load_acquire() & kMaxUse : 0;
}

void count_uses(Counters& counters, const End& end) {
    if (end.identity.side == 0) counters.uses_again += uses_again(end);
}

bool is_kept(const End& end) {
    if (!has_closed(end)) return false;
    const Result<Mapping> blocks = map_blocks(end);
    if (!blocks) return false;
    const std::uint32_t word = block_of(*blocks, end.identity.side).producer.state.load_acquire();
    return word == tagged_state(uses_again(end), TxState::kept);
}

bool queue_caller(Agent& agent, End& end) {
    Listener* listener = agent.listeners.find(end.listener);
    if (listener == nullptr || end.queued_at != 0 || !is_kept(end)) return false;
    // The far side can write that it is kept; what the policy of now says it cannot.
    if (end.end_page()->is_revoked.load_acquire() != 0) return false;
    Result<Mapping> slab = end.slab->map();
    Result<Mapping> page = Mapping::shared(end.page_fd.get(), kEndPageBytes, PROT_READ | PROT_WRITE);
    if (!slab || !page) return false;
    BellRinger silent{[](BellRinger&, const EndPage&, std::uint32_t, WaitToken) { return false; }};
    Result<Stream> stream = Stream::open(std::move(*slab), std::move(*page), silent);
    const std::uint32_t port = stream ? stream->accept_again() : 0;
    if (port == 0) return false;
    end.identity.peer.port = port;
    end.end_page()->peer.port = port;
    end.is_lent = false;  // it will stand behind another kernel socket
    if (!enqueue(agent, *listener, end)) return false;
    ++agent.counters.callers_queued;
    return true;
}

void leave_kept(Agent& agent, const ConnectionKey& own_end, std::uint32_t peer_domain) {
    const End* end = agent.ends.find(own_end);
    if (end == nullptr || end->identity.peer_domain != peer_domain) return;
    if (take_back(*end)) return forget(agent, *end);
    if (has_closed(*end)) ring_listener(agent, *end);  // a caller that died may not have rung
}

void revoke_keeping(Agent& agent) {
    std::vector<EndId> kept;
    agent.ends.for_each([&kept](const End& end) {
        if (end.has_memory() && take_back(end)) kept.push_back(end.id());
        if (end.has_memory()) end.end_page()->is_revoked.fetch_or(1);
    });
    for (const EndId id : kept) {
        if (const End* end = agent.ends.find(id)) forget(agent, *end);
    }
}

}  // namespace xylem::agent
