// Who listens where. Several listeners may share an address and port (SO_REUSEPORT).
#pragma once

#include <sys/socket.h>

#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

#include "control/agent/accept_queue.hpp"
#include "control/agent/kernel_socket.hpp"
#include "control/agent/quota.hpp"
#include "control/agent/session.hpp"
#include "control/protocol/reason.hpp"

namespace xylem::agent {

struct Listener {
    ListenerId id;
    std::uint64_t cookie;
    SocketName local;  // as bound
    SocketName match;  // the same, an IPv4-mapped address as the IPv4 address it stands for
    bool v6_only;
    std::uint32_t backlog;
    AcceptQueue queue;
    std::set<EndId> waiting;  // in the queue, or taken from it by a program that has not said so yet
    std::set<SessionId> holders;
    KernelSocket socket;     // as of ends
    bool is_lent = false;    // as of ends
    bool is_orphan = false;  // not offered: whoever has it may know TCP only
    std::uint64_t last_chosen = 0;
    Quota::Lease quota;

    bool has_room() const { return waiting.size() < backlog; }
    // Names are given to the program as ::ffff:a.b.c.d.
    bool speaks_mapped() const { return local.family == AF_INET6; }
};

// How well a listener's address fits a destination; 0 = not at all.
unsigned fit(const Listener& listener, const SocketName& destination);

class Listeners {
  public:
    explicit Listeners(std::uint64_t limit) : quota_(limit) {}

    // With a queue of its own, where none is given. Null where the quota or the system refuses.
    Listener* add(std::uint64_t cookie, const SocketName& local, bool v6_only, std::uint32_t backlog,
                  AcceptQueue queue = {});
    Listener* find(ListenerId id);
    Listener* find_cookie(std::uint64_t cookie);
    bool knows(std::uint64_t cookie) const { return by_cookie_.count(cookie) != 0; }
    void erase(ListenerId id);

    // Of the listeners that fit best, the next in turn, one with room first. `offered` says whether this
    // source may reach a listener. Reasons: ring, no_listener, listener_private, backlog_full.
    template <class Offered>
    Reason choose(const SocketName& destination, Offered offered, Listener*& chosen);
    // It got a connection: those like it come first now.
    void had_turn(Listener& listener) { listener.last_chosen = ++turn_; }

    template <class Visit>
    void for_each(Visit visit) const {
        for (const auto& [id, listener] : by_id_) visit(*listener);
    }
    const Quota& quota() const { return quota_; }

    // The kernel's bounds: at least one, at most somaxconn.
    static std::uint32_t clamp_backlog(std::uint32_t asked);

  private:
    Quota quota_;
    std::unordered_map<ListenerId, std::unique_ptr<Listener>> by_id_;
    std::unordered_map<std::uint64_t, ListenerId> by_cookie_;
    std::unordered_map<std::uint32_t, std::vector<Listener*>> by_port_;
    ListenerId next_id_ = 1;
    std::uint64_t turn_ = 0;
};

template <class Offered>
Reason Listeners::choose(const SocketName& destination, Offered offered, Listener*& chosen) {
    unsigned best = 0;
    bool saw_private = false;
    chosen = nullptr;
    const auto found = by_port_.find(destination.port);
    if (found == by_port_.end()) return Reason::no_listener;
    for (Listener* listener : found->second) {
        if (listener->is_orphan) continue;
        const unsigned fits = fit(*listener, destination);
        if (fits == 0) continue;
        if (!offered(*listener)) {
            saw_private = true;
            continue;
        }
        const bool is_better = chosen == nullptr || fits > best ||
                               (fits == best && (listener->has_room() != chosen->has_room()
                                                     ? listener->has_room()
                                                     : listener->last_chosen < chosen->last_chosen));
        if (fits >= best && is_better) {
            chosen = listener;
            best = fits;
        }
    }
    if (chosen == nullptr) return saw_private ? Reason::listener_private : Reason::no_listener;
    if (!chosen->has_room()) return Reason::backlog_full;
    return Reason::ring;
}

}  // namespace xylem::agent
