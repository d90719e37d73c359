// A doorbell with a flag area, for waiting on several ends whose peers are in one domain: an epoll set's, or
// a listener's for its kept ends. Its owner makes it, changes it and closes it under a lock of its own.
#pragma once

#include "vsock-transport/base/mapping.hpp"
#include "vsock-transport/base/unique_fd.hpp"
#include "vsock-transport/wakeup/doorbell.hpp"

namespace xylem {

struct BellArea {
    std::uint32_t peer_domain = 0;
    std::uint32_t bell_id = 0;
    UniqueFd waiter;
    UniqueFd kicker;
    UniqueFd memory;
    Mapping mapping;

    ReadyArea ready() const { return ReadyArea(mapping.as<DoorbellArea>()); }
    // False without an agent, memory or descriptors.
    bool make(std::uint32_t domain);
    // To a restarted agent.
    void register_again();
    void close();
};

}  // namespace xylem
