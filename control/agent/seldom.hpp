// For log lines that others can cause as often as they like: one a second at most.
#pragma once

#include "vsock-transport/base/clock.hpp"

namespace xylem::agent {

class Seldom {
  public:
    bool may() {
        const std::uint64_t now = now_ns();
        if (now < next_ns_) return false;
        next_ns_ = now + kNsPerSecond;
        return true;
    }

  private:
    std::uint64_t next_ns_ = 0;
};

}  // namespace xylem::agent
