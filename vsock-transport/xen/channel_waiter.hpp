// The waiter's side of an event channel, towards a peer that may ring without end. A channel that rang is
// masked until it is taken, so each ring costs its waiter one look; of looks that find nothing a wait has
// kMostVain, and from then on the channel stays masked for kMaskedNs each time. So a storm costs a hundred
// looks a second, and the peer's own kicks come late by that much.
//
// drain() may be called by several threads; open() and close() are the owner's.
#pragma once

#include "vsock-transport/base/atomic.hpp"
#include "vsock-transport/base/clock.hpp"
#include "vsock-transport/base/unique_fd.hpp"

namespace xylem {

class ChannelWaiter {
  public:
    static constexpr std::uint32_t kMostVain = 64;  // more than honest peers can ring late, one a waiter slot
    static constexpr std::uint64_t kMaskedNs = 10 * kNsPerMs;

    void open(UniqueFd fd) {
        fd_ = std::move(fd);
        begin();
        masked_port_.store_relaxed(0);
    }
    // The descriptor goes to the caller.
    UniqueFd close() { return std::move(fd_); }
    explicit operator bool() const { return static_cast<bool>(fd_); }
    // Readable when the peer rang; -1: there is no channel.
    int fd() const { return fd_.get(); }

    // A wait begins, or has found something.
    void begin() { vain_.store_relaxed(0); }
    // After each sleep, and before one. Never blocks. True: the looks of this wait are used up now.
    bool drain();
    // How long a sleep may last: kForever, unless the channel is masked.
    std::uint64_t bound_ns() const;

  private:
    UniqueFd fd_;
    AtomicU32 vain_{0};         // looks since begin()
    AtomicU32 masked_port_{0};  // 0: not masked
    AtomicU64 unmask_at_ns_{0};
};

}  // namespace xylem
