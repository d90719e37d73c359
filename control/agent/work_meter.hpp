// Charges a peer's pace with what the agent's thread works as long as this lives. Time of the processor, not
// of the clock: what others do meanwhile is not the peer's work.
#pragma once

#include <time.h>

#include <memory>

#include "vsock-transport/base/clock.hpp"
#include "vsock-transport/base/pace.hpp"

namespace xylem::agent {

class WorkMeter {
  public:
    // Null: nothing is charged.
    explicit WorkMeter(std::shared_ptr<Pace> pace)
        : pace_(std::move(pace)), start_ns_(pace_ != nullptr ? worked_ns() : 0) {}
    WorkMeter(const WorkMeter&) = delete;
    WorkMeter& operator=(const WorkMeter&) = delete;
    ~WorkMeter() {
        if (pace_ != nullptr) pace_->charge(now_ns(), worked_ns() - start_ns_);
    }

  private:
    static std::uint64_t worked_ns() {
        timespec worked{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &worked);
        return static_cast<std::uint64_t>(worked.tv_sec) * kNsPerSecond +
               static_cast<std::uint64_t>(worked.tv_nsec);
    }

    const std::shared_ptr<Pace> pace_;
    const std::uint64_t start_ns_;
};

}  // namespace xylem::agent
