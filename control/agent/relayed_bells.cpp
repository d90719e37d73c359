// RelayedBells. One socket pair a domain serves all programs: a token says which doorbell it is for, and the
// far agent rings it only if it waits for this domain. A full socket drops kicks; every sleep is bounded.
#include "control/agent/relayed_bells.hpp"

#include <sys/socket.h>

#include "control/agent/agent.hpp"
#include "vsock-transport/local/local_kick.hpp"

namespace xylem::agent {
namespace {

constexpr unsigned kBatch = 64;  // a turn: other sources get theirs

}  // namespace

int RelayedBells::kicker_for(std::uint32_t domain) {
    const auto found = relays_.find(domain);
    if (found != relays_.end()) return found->second.kicker.get();
    Result<LocalBell> pair = make_local_bell();
    if (!pair) return -1;
    const int waiter_fd = pair->waiter.get();
    Relay relay{std::move(pair->waiter), std::move(pair->kicker), Watch()};
    relay.watch = agent_.loop.on_ready(
        waiter_fd, EPOLLIN, [this, domain, waiter_fd](std::uint32_t) { on_kick(domain, waiter_fd); });
    return relays_.emplace(domain, std::move(relay)).first->second.kicker.get();
}

void RelayedBells::on_kick(std::uint32_t domain, int waiter_fd) {
    for (unsigned i = 0; i < kBatch; ++i) {
        std::uint64_t token = 0;
        if (::recv(waiter_fd, &token, sizeof token, MSG_DONTWAIT) != sizeof token) return;
        ++agent_.counters.kicks_relayed;
        agent_.far_bells.ring(domain, WaitToken(token));
    }
}

}  // namespace xylem::agent
