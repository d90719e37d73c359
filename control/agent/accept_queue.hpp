// What a listener's programs take their connections from: a datagram socket that is connected to itself, so
// that whoever has it can put in and take out, and nobody else. What waits in it is in the hands of the
// kernel and of those programs, and outlives an agent.
#pragma once

#include <memory>
#include <vector>

#include "control/protocol/codec.hpp"
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
    // All that was waiting, the longest first; then put_back(), so that only a look was taken.
    std::vector<std::unique_ptr<Received>> take_all();
    void put_back(const std::vector<std::unique_ptr<Received>>& taken);

  private:
    UniqueFd socket_;
};

}  // namespace xylem::agent
