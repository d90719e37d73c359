// Queueing. What a queue holds is known from what was put in and what programs said they took. A look takes
// each out and puts it back; a program that comes meanwhile and finds nothing is woken.
#include "control/agent/queueing.hpp"

#include "control/agent/agent.hpp"
#include "control/agent/answers.hpp"
#include "control/agent/end_closing.hpp"

namespace xylem::agent {
namespace {

// From taking an end to saying so is one system call; but its process may be stopped there.
constexpr std::uint64_t kPauseNs = kNsPerSecond;

}  // namespace

bool enqueue(Agent& agent, Listener& listener, End& end) {
    const Result<Handed> handed = hand_out(agent, end, 0);
    if (!handed || !listener.queue.put(handed->message, handed->slab.get(), end.page_fd.get())) return false;
    end.queued_at = end.listener = listener.id;
    listener.waiting.insert(end.id());
    return true;
}

void leave_queue(Agent& agent, End& end) {
    Listener* listener = agent.listeners.find(std::exchange(end.queued_at, 0));
    if (listener != nullptr) listener->waiting.erase(end.id());
}

void LostInAcceptance::doubt(const Listener& listener) {
    if (listener.waiting.empty()) return;
    doubtful_.try_emplace(listener.id);
    if (!timer_) timer_ = agent_.loop.after(kPauseNs, [this] { look(); });
}

void LostInAcceptance::look() {
    timer_ = Watch();
    for (auto item = doubtful_.begin(); item != doubtful_.end();) {
        item = look_at(item->first, item->second) ? std::next(item) : doubtful_.erase(item);
    }
    if (!doubtful_.empty()) timer_ = agent_.loop.after(kPauseNs, [this] { look(); });
}

bool LostInAcceptance::look_at(ListenerId id, std::set<EndId>& missing) {
    Listener* listener = agent_.listeners.find(id);
    if (listener == nullptr) return false;
    std::set<EndId> missing_now = listener->waiting;
    for (const EndId queued : listener->queue.look_through()) missing_now.erase(queued);
    for (const EndId end : missing) {
        if (missing_now.erase(end) == 0) continue;
        ++agent_.counters.lost_in_acceptance;
        finish(agent_, end, CloseMode::abort);
    }
    missing = std::move(missing_now);
    return !missing.empty();
}

}  // namespace xylem::agent
