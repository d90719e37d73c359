// Listeners: the registry, by id, cookie and port.
#include "control/agent/listeners.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <fstream>

#include "control/agent/names.hpp"
#include "control/protocol/map_table.hpp"

namespace xylem::agent {
namespace {

constexpr std::uint32_t kMaxBacklog = 4096;

std::uint32_t somaxconn() {
    std::uint32_t value = kMaxBacklog;
    std::ifstream("/proc/sys/net/core/somaxconn") >> value;
    return std::clamp(value, 1U, kMaxBacklog);
}

}  // namespace

unsigned fit(const Listener& listener, const SocketName& destination) {
    const SocketName& at = listener.match;
    if (at.port != destination.port) return 0;
    if (same_address(at, destination)) return 3;
    if (!is_wildcard(at)) return 0;
    if (at.family == destination.family) return 2;
    return at.family == AF_INET6 && destination.family == AF_INET && !listener.v6_only ? 1 : 0;
}

std::uint32_t Listeners::clamp_backlog(std::uint32_t asked) {
    static const std::uint32_t most = somaxconn();
    return std::clamp(asked, 1U, most);
}

Listener* Listeners::add(std::uint64_t cookie, const SocketName& local, bool v6_only, std::uint32_t backlog,
                         AcceptQueue queue) {
    auto lease = quota_.take();
    if (!lease) return nullptr;
    if (queue.fd() < 0) {
        Result<AcceptQueue> made_queue = AcceptQueue::make();
        if (!made_queue) return nullptr;
        queue = std::move(*made_queue);
    }
    auto made = std::make_unique<Listener>();
    Listener* listener = made.get();
    listener->id = next_id_++;
    listener->cookie = cookie;
    listener->local = local;
    listener->match = unmapped(local);
    listener->v6_only = v6_only;
    listener->backlog = clamp_backlog(backlog);
    listener->queue = std::move(queue);
    listener->quota = std::move(*lease);
    by_id_.emplace(listener->id, std::move(made));
    by_cookie_[cookie] = listener->id;
    by_port_[listener->match.port].push_back(listener);
    return listener;
}

Listener* Listeners::find(ListenerId id) {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second.get();
}

Listener* Listeners::find_cookie(std::uint64_t cookie) {
    const auto found = by_cookie_.find(cookie);
    return found == by_cookie_.end() ? nullptr : find(found->second);
}

void Listeners::erase(ListenerId id) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) return;
    Listener* listener = found->second.get();
    const auto port = by_port_.find(listener->match.port);
    std::erase(port->second, listener);
    if (port->second.empty()) by_port_.erase(port);
    const auto cookie = by_cookie_.find(listener->cookie);
    if (cookie != by_cookie_.end() && cookie->second == id) by_cookie_.erase(cookie);
    by_id_.erase(found);
}

}  // namespace xylem::agent
