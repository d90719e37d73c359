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

// Strikes off what was adopted or is gone, and what has ended with its kernel socket.
template <class Id, class Table, class Finish>
void look_at(std::set<Id>& waiting, Table& table, Finish finish) {
    for (const Id id : std::vector(waiting.begin(), waiting.end())) {
        const auto* orphan = table.find(id);
        const bool is_adopted = orphan == nullptr || !orphan->holders.empty();
        if (!is_adopted && orphan->socket.exists()) continue;
        waiting.erase(id);
        if (!is_adopted) finish(*orphan);
    }
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

void Orphans::begin() {
    pause_ns_ = kFirstPauseNs;
    timer_ = agent_.loop.after(pause_ns_, [this] { look(); });
}

void Orphans::add(const BoundPort& bound) {
    vsock_ports_.insert(bound.local.port);
    begin();
}

void Orphans::look() {
    look_at(ends_, agent_.ends, [this](const End& end) { finish(agent_, end.id(), end.last_close); });
    look_at(listeners_, agent_.listeners,
            [this](const Listener& listener) { finish_listener(agent_, listener.id); });
    look_at(vsock_ports_, agent_.vsock_ports,
            [this](const BoundPort& bound) { agent_.vsock_ports.erase(bound.local.port); });
    pause_ns_ = std::min(2 * pause_ns_, kLongestPauseNs);
    timer_ = Watch();
    if (ends_.empty() && listeners_.empty() && vsock_ports_.empty()) return;
    timer_ = agent_.loop.after(pause_ns_, [this] { look(); });
}

}  // namespace xylem::agent
