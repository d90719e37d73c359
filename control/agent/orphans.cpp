// Orphans: nobody tells when a kernel socket goes, so they are looked at, soon after one came (a process that
// dies closes its session a moment before its other sockets are gone) and then ever more seldom.
#include "control/agent/orphans.hpp"

#include <algorithm>
#include <vector>

#include "control/agent/agent.hpp"
#include "control/agent/end_closing.hpp"
#include "control/agent/listener_holding.hpp"

namespace xylem::agent {
namespace {

constexpr std::uint64_t kFirstPauseNs = kNsPerMs;
constexpr std::uint64_t kLongestPauseNs = kNsPerSecond;

}  // namespace

void Orphans::add(const End& end) {
    ends_.insert(end.id());
    begin();
}

void Orphans::add(const Listener& listener) {
    listeners_.insert(listener.id);
    begin();
}

void Orphans::begin() {
    pause_ns_ = kFirstPauseNs;
    timer_ = agent_.loop.after(pause_ns_, [this] { look(); });
}

void Orphans::look() {
    look_at_ends();
    look_at_listeners();
    pause_ns_ = std::min(2 * pause_ns_, kLongestPauseNs);
    timer_ = Watch();
    if (ends_.empty() && listeners_.empty()) return;
    timer_ = agent_.loop.after(pause_ns_, [this] { look(); });
}

void Orphans::look_at_ends() {
    for (const EndId id : std::vector(ends_.begin(), ends_.end())) {
        const End* end = agent_.ends.find(id);
        const bool is_adopted = end == nullptr || !end->holders.empty();
        if (!is_adopted && end->socket.exists()) continue;
        ends_.erase(id);
        if (!is_adopted) finish(agent_, id, end->last_close);
    }
}

void Orphans::look_at_listeners() {
    for (const ListenerId id : std::vector(listeners_.begin(), listeners_.end())) {
        const Listener* listener = agent_.listeners.find(id);
        const bool is_adopted = listener == nullptr || !listener->holders.empty();
        if (!is_adopted && listener->socket.exists()) continue;
        listeners_.erase(id);
        if (!is_adopted) finish_listener(agent_, id);
    }
}

}  // namespace xylem::agent
