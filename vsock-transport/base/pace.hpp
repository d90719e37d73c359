// How much of our time somebody may take who can cause work as often as he likes: 1/times of it in the long
// run, and work worth slack_ns/times before that shows. Whoever works says how long it took, and asks how
// long the next piece is to wait. Thread safe; a charge that is lost in a race is lost.
#pragma once

#include <algorithm>

#include "vsock-transport/base/atomic.hpp"

namespace xylem {

class Pace {
  public:
    constexpr Pace(std::uint64_t times, std::uint64_t slack_ns) : times_(times), slack_ns_(slack_ns) {}

    void charge(std::uint64_t now_ns, std::uint64_t work_ns) {
        paid_until_ns_.store_relaxed(std::max(paid_until_ns_.load_relaxed(), now_ns) + times_ * work_ns);
    }
    // 0: it may go on.
    std::uint64_t rest_ns(std::uint64_t now_ns) const {
        const std::uint64_t paid_until_ns = paid_until_ns_.load_relaxed();
        return paid_until_ns > now_ns + slack_ns_ ? paid_until_ns - now_ns - slack_ns_ : 0;
    }

  private:
    const std::uint64_t times_;
    const std::uint64_t slack_ns_;
    AtomicU64 paid_until_ns_{0};
};

}  // namespace xylem
