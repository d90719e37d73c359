// The RDMA devices of this node, by librdmacm (rdma_cm(7)): where the bridges of other nodes call, and
// calling them. One thread.
#pragma once

#include <rdma/rdma_cma.h>

#include <memory>
#include <string>

#include "rdma-bridge/node_name.hpp"
#include "rdma-bridge/pinned_memory.hpp"
#include "rdma-bridge/poller.hpp"
#include "rdma-bridge/wire.hpp"

namespace xylem::bridge {

inline constexpr int kResolveMs = 250;  // an agent waits a second for all of it

class Verbs {
  public:
    using OnCaller = std::function<void(std::unique_ptr<Wire>)>;

    // Null: there is no device, as `error` says.
    static std::unique_ptr<Verbs> open(Poller& poller, std::uint64_t most_pinned_bytes, std::string& error);
    ~Verbs();
    Verbs(const Verbs&) = delete;
    Verbs& operator=(const Verbs&) = delete;

    // False: no device has that address, as `error` says. on_gone: the device went away; librdmacm
    // keeps it open for as long as this process lives, so that is to end.
    bool listen(const NodeAddress& address, OnCaller on_caller, std::function<void()> on_gone,
                std::string& error);
    const PinnedMemory& pinned() const { return pinned_; }
    // Null: refused at once, as errno says.
    std::unique_ptr<Wire> dial(const NodeAddress& from, const NodeAddress& to);

  private:
    Verbs(Poller& poller, rdma_event_channel* channel, std::uint64_t most_pinned_bytes);
    void on_events();
    void on_caller(rdma_cm_id* id, const void* hello, std::size_t hello_bytes);

    Poller& poller_;
    rdma_event_channel* channel_;
    rdma_cm_id* listener_ = nullptr;
    OnCaller on_caller_;
    std::function<void()> on_gone_;
    PinnedMemory pinned_;
};

}  // namespace xylem::bridge
