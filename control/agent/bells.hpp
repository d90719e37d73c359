// Doorbells that this domain's programs registered, so that others may ring them.
#pragma once

#include <optional>
#include <unordered_map>

#include "control/agent/quota.hpp"
#include "control/agent/session.hpp"
#include "control/agent/xen/waiter_channels.hpp"
#include "control/protocol/unix_datagram.hpp"
#include "vsock-transport/wakeup/doorbell.hpp"

namespace xylem::agent {

struct Bell {
    std::uint32_t id;
    std::uint32_t peer_domain;  // whose ends it waits for
    SessionId session;
    KickKind kind;
    UniqueFd kick;
    UniqueFd area;  // may be empty
    Quota::Lease quota;
    std::optional<WaiterChannel> channel;  // where peers are in another guest
};

class Bells {
  public:
    explicit Bells(std::uint64_t limit);

    // Takes a bell over: kick must be a datagram socket, area (if any) a sealed memfd of kDoorbellAreaBytes.
    // It gets wanted_id, unless that is 0 or taken. Errors: bad_layout (they are not), exhausted.
    Result<Bell*> add(SessionId session, std::uint32_t peer_domain, std::uint32_t wanted_id, UniqueFd kick,
                      UniqueFd area);
    Bell* find(std::uint32_t id);
    void erase(std::uint32_t id);

    template <class Visit>
    void for_each_of(SessionId session, Visit visit) const {
        for (const auto& [id, bell] : by_id_) {
            if (bell.session == session) visit(bell);
        }
    }
    const Quota& quota() const { return quota_; }

  private:
    std::uint32_t free_id(std::uint32_t wanted_id);

    Quota quota_;
    std::unordered_map<std::uint32_t, Bell> by_id_;
    std::uint32_t next_id_;
};

// Makes the kicker's side of a bell that came as descriptors; area may be empty. False if it is unsound.
bool install(Doorbell& doorbell, KickKind kind, UniqueFd kick, const UniqueFd& area);

}  // namespace xylem::agent
