// What a listener's programs take their connections from: a datagram socket that is connected to itself, so
// that whoever has it can put in and take out, and nobody else. What waits in it is in the hands of the
// kernel and of those programs, and outlives an agent.
#pragma once

#include <set>

#include "control/agent/session.hpp"
#include "control/protocol/session_protocol.h"
#include "vsock-transport/base/unique_fd.hpp"

namespace xylem::agent {

class AcceptQueue {
  public:
    AcceptQueue() = default;
    // One that a program has from an earlier agent. Whatever it is, no call here waits for it.
    explicit AcceptQueue(UniqueFd given) : socket_(std::move(given)) {}
    // Errors: system.
    static Result<AcceptQueue> make();

    int fd() const { return socket_.get(); }
    // Descriptors are not consumed. False: it is full, or the system has no room for descriptors on their
    // way.
    bool put(const AttachedMessage& message, int slab, int end_page);
    // The ends that wait. Each is taken out and put back, one at a time, so the order stays; what makes no
    // sense is dropped.
    std::set<EndId> look_through();

  private:
    std::uint64_t next_end() const;  // 0: none

    UniqueFd socket_;
};

}  // namespace xylem::agent
