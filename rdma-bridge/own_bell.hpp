// The doorbell that programs of one local domain ring, for their connections with one remote domain. Like an
// epoll set's (vsock-transport/wakeup/doorbell_layout.h): a bit for each connection, and a kick only where
// the bridge sleeps.
#pragma once

#include <memory>
#include <vector>

#include "rdma-bridge/agent_link.hpp"
#include "vsock-transport/local/local_kick.hpp"
#include "vsock-transport/wakeup/doorbell.hpp"

namespace xylem::bridge {

class OwnBell {
  public:
    // Errors: system.
    static Result<std::unique_ptr<OwnBell>> make(std::uint32_t id, const Pair& pair);

    std::uint32_t id() const { return id_; }
    const Pair& pair() const { return pair_; }
    int waiter_fd() const { return bell_.waiter.get(); }
    int kicker_fd() const { return bell_.kicker.get(); }
    int area_fd() const { return area_fd_.get(); }
    ReadyArea area() const { return ReadyArea(area_.as<DoorbellArea>()); }

    // A bit for one more connection; kReadyBits if there is none.
    unsigned take_bit();
    void give_back(unsigned bit);
    WaitToken token(unsigned bit) const { return {id_, static_cast<std::uint16_t>(bit), 0}; }
    bool is_unused() const { return free_bits_.size() == next_bit_; }
    // For so long that programs gain nothing by knowing it already when they connect again.
    bool is_idle() const;

  private:
    OwnBell(std::uint32_t id, const Pair& pair, LocalBell bell, UniqueFd area_fd, Mapping area)
        : id_(id),
          pair_(pair),
          bell_(std::move(bell)),
          area_fd_(std::move(area_fd)),
          area_(std::move(area)) {}

    const std::uint32_t id_;
    const Pair pair_;
    LocalBell bell_;
    UniqueFd area_fd_;
    Mapping area_;
    unsigned next_bit_ = 0;
    std::vector<unsigned> free_bits_;
    std::uint64_t unused_since_ns_ = 0;
};

}  // namespace xylem::bridge
