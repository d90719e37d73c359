// One run of the command under one setting: its value, and what its connections went over.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "control/cli/json_field.hpp"
#include "control/cli/launch.hpp"
#include "control/cli/timed_command.hpp"
#include "control/cli/tune_metric.hpp"
#include "control/cli/tune_plan.hpp"

namespace xylem::cli {

struct TuneRun {
    TimedEnd end;
    double value = 0;  // seconds, or what the metric found; nothing if the command was ended
    Json sums;         // the `run` report

    std::uint64_t ring_connections() const;
    std::uint64_t ring_bytes() const;
};

class TuneRunner {
  public:
    TuneRunner(Launch launch, std::optional<TuneMetric> metric, bool shows_output)
        : launch_(std::move(launch)), metric_(std::move(metric)), shows_output_(shows_output) {}

    // looks: also for programs of the run that the library cannot see, which costs time. Errors: the command
    // failed, with its last lines; the metric is not in what it printed; no agent.
    Outcome<TuneRun> run(const TuneSetting& setting, std::uint64_t deadline_ns, bool looks);

    const Launch& launch() const { return launch_; }
    const std::optional<TuneMetric>& metric() const { return metric_; }
    const StopSignals& signals() const { return signals_; }

  private:
    Outcome<TimedEnd> time_command(const TuneSetting& setting, std::uint64_t deadline_ns,
                                   const std::function<void()>& look, CommandOutput& output) const;
    Outcome<double> value_of(const TimedEnd& end, const std::optional<std::string>& found,
                             const CommandOutput& output) const;

    Launch launch_;
    std::optional<TuneMetric> metric_;
    bool shows_output_;
    StopSignals signals_;
};

}  // namespace xylem::cli
