// Orphans: nobody tells when a kernel socket goes, so they are looked at, soon after one came (a process that
// dies closes its session a moment before its other sockets are gone) and then ever more seldom.
#include "control/agent/orphans.hpp"

#include <algorithm>

#include "control/agent/agent.hpp"
#include "control/agent/end_closing.hpp"
#include "control/agent/listener_holding.hpp"

namespace xylem::agent {
namespace {

constexpr std::uint64_t kFirstPauseNs = kNsPerMs;
constexpr std::uint64_t kLookingNs = kNsPerMs;
constexpr std::uint64_t kLongestPauseNs = kNsPerSecond;

// Strikes off what was adopted or is gone, and what has ended with its kernel socket. False: there was no
// time for all; `last` says how far it came.
template <class Id, class Table, class Finish>
bool look_at(std::set<Id>& waiting, Id& last, std::uint64_t until_ns, Table& table, Finish finish) {
    for (auto next = waiting.upper_bound(last); next != waiting.end(); next = waiting.upper_bound(last)) {
        if (now_ns() >= until_ns) return false;
        const Id id = last = *next;
        const auto* orphan = table.find(id);
        const bool is_adopted = orphan == nullptr || !orphan->holders.empty();
        if (!is_adopted && orphan->socket.exists()) continue;
        waiting.erase(id);
        if (!is_adopted) finish(*orphan);
    }
    last = 0;
    return true;
}

}  // namespace

void Orphans::add(const End& end) {
    ends_.insert(end.id());
    begin();
}

void Orphans::add(const Listener& listener) {
    listeners_.insert(listener.id);
    begin();
}

// Whoever makes orphans without end must not put off the look at those that there are.
void Orphans::begin() {
    if (timer_ && pause_ns_ == kFirstPauseNs) return;
    pause_ns_ = kFirstPauseNs;
    timer_ = agent_.loop.after(pause_ns_, [this] { look(); });
}

void Orphans::add(const BoundPort& bound) {
    vsock_ports_.insert(bound.local.port);
    begin();
}

void Orphans::look() {
    const std::uint64_t until_ns = now_ns() + kLookingNs;
    const bool is_done =
        look_at(ends_, last_end_, until_ns, agent_.ends,
                [this](const End& end) { finish(agent_, end.id(), end.last_close); }) &&
        look_at(listeners_, last_listener_, until_ns, agent_.listeners,
                [this](const Listener& listener) { finish_listener(agent_, listener.id); }) &&
        look_at(vsock_ports_, last_port_, until_ns, agent_.vsock_ports,
                [this](const BoundPort& bound) { agent_.vsock_ports.erase(bound.local.port); });
    timer_ = Watch();
    if (!is_done) {  // others have their turn
        timer_ = agent_.loop.after(0, [this] { look(); });
        return;
    }
    pause_ns_ = std::min(2 * pause_ns_, kLongestPauseNs);
    if (ends_.empty() && listeners_.empty() && vsock_ports_.empty()) return;
    timer_ = agent_.loop.after(pause_ns_, [this] { look(); });
}

}  // namespace xylem::agent
