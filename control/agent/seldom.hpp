// For log lines that others can cause as often as they like.
#pragma once

#include <map>

#include "vsock-transport/base/clock.hpp"
#include "vsock-transport/base/pace.hpp"

namespace xylem::agent {

// By domain: twenty of them at once, and then one in ten seconds, each. What honest
// agents have to say of each other is seldom more.
class SeldomOfEach {
  public:
    bool may(std::uint32_t domain) {
        Pace& pace = paces_.try_emplace(domain, 1, 20 * kLineNs).first->second;
        const std::uint64_t now = now_ns();
        if (pace.rest_ns(now) > 0) return false;
        pace.charge(now, kLineNs);
        return true;
    }

  private:
    static constexpr std::uint64_t kLineNs = 10 * kNsPerSecond;
    std::map<std::uint32_t, Pace> paces_;
};

}  // namespace xylem::agent
