// The course of measuring: a first run that proves that there is something to tune, then the parts of the
// plan in turns, with a line on standard error for each run.
#pragma once

#include <cstdint>
#include <optional>

#include "control/cli/tune_findings.hpp"
#include "control/cli/tune_runner.hpp"

namespace xylem::cli {

class TuneCourse {
  public:
    TuneCourse(TuneRunner& runner, TunePlan plan, Better better, std::optional<std::uint64_t> time_limit_ns);

    // Until the plan is done, the time is up or a signal came. Errors: nothing of the command goes over
    // rings; a run failed.
    Outcome<TuneFindings> measure();

  private:
    Outcome<void> prove();
    Outcome<void> check_what_is_tuned(const TuneRun& run) const;
    void remark_on(const TuneRun& run);
    // One part, round by round. False if it was ended before its time.
    Outcome<bool> measure_part(std::vector<Measured>& part);
    Outcome<bool> measure_one(Measured& measured);
    // Whether a run that has begun was ended, or is not to begin; notes why.
    bool is_over(const TimedEnd& end);
    void say(const Measured& measured) const;

    TuneRunner& runner_;
    TunePlan plan_;
    Better better_;
    std::uint64_t begin_ns_;
    std::optional<std::uint64_t> time_limit_ns_;
    std::uint64_t deadline_ns_;
    TuneFindings findings_;
    Json first_sums_;
    std::size_t runs_done_ = 0;
    std::size_t runs_planned_ = 0;  // at most
    std::uint64_t measuring_since_ns_ = 0;
};

}  // namespace xylem::cli
