// Agent: the parts, in the order in which they need each other.
#include "control/agent/agent.hpp"

#include <sys/socket.h>

#include "control/agent/names.hpp"
#include "control/agent/ownership.hpp"
#include "control/agent/random_id.hpp"

namespace xylem::agent {

Agent::Agent(EventLoop& event_loop, const Settings& given)
    : loop(event_loop),
      settings(given),
      boot_id(random_id()),
      started_ns(now_ns()),
      memory(given.max_memory_bytes),
      session_quota(given.max_sessions),
      map(event_loop, counters, given.domain),
      policy(event_loop, counters),
      pool(memory),
      ends(given.max_ends, given.max_ends_per_peer),
      bells(given.max_bells),
      listeners(given.max_listeners),
      sessions(*this),
      links(*this),
      next_connection_id_(random_id()) {
    links.is_owner = [this](std::uint32_t claimed, int socket) {
        return owns_link_socket(link_socket(claimed).text, socket);
    };
}

Agent::~Agent() = default;

bool Agent::offers_to_others(const Listener& listener) const {
    if (is_wildcard(listener.match)) return true;
    if (listener.match.family == AF_VSOCK) return cid_of(listener.match) == settings.domain;
    return map.domain_of(listener.match) == settings.domain;
}

void Agent::ring(std::uint32_t domain, WaitToken token) {
    if (domain == settings.domain) {
        const Bell* bell = bells.find(token.doorbell_id());
        if (bell == nullptr) return;
        if (ring_once(bell->kind, bell->kick.get(), bell->area.get(), token)) ++counters.kicks_sent;
        return;
    }
    auto ask = make_message<LinkBellFindMessage>(kLinkMagic, LinkMessage::bell_find, 0);
    ask.doorbell_id = token.doorbell_id();
    links.ask(domain, ask, {}, [this, token](Reason, Received* answer) {
        const auto* bell = answer != nullptr ? answer->as<LinkBellMessage>() : nullptr;
        if (bell == nullptr || bell->kind == 0 || answer->fd_count != 1 + (bell->has_area != 0 ? 1U : 0U)) {
            return;
        }
        const int area = bell->has_area != 0 ? answer->fds[1].get() : -1;
        const auto kind = static_cast<KickKind>(bell->kind);
        if (ring_once(kind, answer->fds[0].get(), area, token)) ++counters.kicks_sent;
    });
}

}  // namespace xylem::agent
