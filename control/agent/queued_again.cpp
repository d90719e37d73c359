// QueuedAgain. What a program connected, and the far agent queued, is established to the program; the kernel
// would not lose it. So the connecting side's agent, which has the slab, offers the connection again, under
// the same id, until the new agent is there and the listener's program has named itself to it. The far end's
// cursors begin at nothing, which is right as long as nobody has accepted: that, and who of a late acceptor
// and us was first, OfferLine (slab_layout.h) decides.
//
// Not offered again are connections that are used again (the far end's cursors would have to be known), and
// those within a domain that lost its agent, of which nobody has the slab.
#include "control/agent/queued_again.hpp"

#include <vector>

#include "control/agent/agent.hpp"
#include "control/agent/connect_attempt.hpp"
#include "control/agent/end_closing.hpp"
#include "control/agent/end_keeping.hpp"
#include "control/agent/names.hpp"
#include "control/agent/slab_blocks.hpp"

namespace xylem::agent {
namespace {

constexpr std::uint64_t kPauseNs = 100 * kNsPerMs;
constexpr std::uint64_t kLongestNs = 10 * kNsPerSecond;

// The number of the next offer; 0: it was accepted.
std::uint32_t next_offer(const End& end) {
    const Result<Mapping> blocks = map_blocks(end);
    if (!blocks) return 0;
    AtomicU32& acceptance = block_of(*blocks, 1).offer.acceptance;
    const std::uint32_t waiting = acceptance.load_acquire();
    const bool is_taken_back = waiting % 2 == 0 && acceptance.compare_exchange(waiting, waiting + 2);
    return is_taken_back ? waiting / 2 + 1 : 0;
}

bool is_waiting(const End& end) {
    if (end.identity.side != 0 || !end.has_memory() || uses_again(end) != 0) return false;
    const Result<Mapping> blocks = map_blocks(end);
    return blocks && block_of(*blocks, 1).offer.acceptance.load_acquire() % 2 == 0;
}

// Nobody will offer or accept it any more.
void give_up(const End& end) {
    const Result<Mapping> blocks = map_blocks(end);
    if (blocks) block_of(*blocks, 1).offer.acceptance.fetch_or(1);
}

ConnectAttempt attempt_for(const End& end) {
    ConnectAttempt attempt;
    attempt.identity = end.identity;
    attempt.source = cleaned(unmapped(end.identity.local));
    attempt.destination = cleaned(unmapped(end.identity.peer));
    attempt.slab = end.slab;
    return attempt;
}

}  // namespace

bool QueuedAgain::take(const End& end) {
    if (end.identity.peer_domain == agent_.settings.domain || !is_waiting(end)) return false;
    waiting_.try_emplace(end.id(), Waiting{now_ns() + kLongestNs});
    if (!timer_) timer_ = agent_.loop.after(kPauseNs, [this] { offer_all(); });
    return true;
}

void QueuedAgain::offer_all() {
    timer_ = Watch();
    std::vector<EndId> ids;
    for (const auto& [id, waiting] : waiting_) {
        if (!waiting.is_asked) ids.push_back(id);
    }
    for (const EndId id : ids) offer(id);
}

void QueuedAgain::offer(EndId id) {
    const End* end = agent_.ends.find(id);
    const std::uint32_t number = end != nullptr ? next_offer(*end) : 0;
    if (number == 0) {
        waiting_.erase(id);
        return;
    }
    waiting_[id].is_asked = true;
    ConnectAttempt attempt = attempt_for(*end);
    attempt.identity.offer = number;
    ask_accepting_side(agent_, attempt, [this, id](Reason reason, bool) { on_answer(id, reason); });
}

void QueuedAgain::on_answer(EndId id, Reason reason) {
    const auto found = waiting_.find(id);
    if (found == waiting_.end()) return;
    const End* end = agent_.ends.find(id);
    if (end == nullptr || reason == Reason::ring) {
        if (end != nullptr) ++agent_.counters.offered_again;
        waiting_.erase(found);
    } else if (now_ns() < found->second.until_ns) {
        found->second.is_asked = false;
        if (!timer_) timer_ = agent_.loop.after(kPauseNs, [this] { offer_all(); });
    } else {
        waiting_.erase(found);
        give_up(*end);
        peer_vanished(agent_, key_of(*end), end->identity.peer_domain);
    }
}

}  // namespace xylem::agent
