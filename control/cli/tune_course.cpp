// TuneCourse: settings take turns, round after round, so that whatever else the machine does meanwhile hits
// all alike. A setting under which connections stay on TCP for a reason that the first run did not have
// (rings so large that quotas are reached) is out, with that reason. The command's failures end the course.
#include "control/cli/tune_course.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "control/cli/quantity.hpp"
#include "control/cli/run_summary.hpp"
#include "control/cli/tune_result.hpp"
#include "vsock-transport/base/clock.hpp"

namespace xylem::cli {
namespace {

constexpr double kShortRunSeconds = 0.05;

std::set<std::string> tcp_reasons(const Json& sums) {
    std::set<std::string> reasons;
    for (const Json& row : member(sums, "tcp")) reasons.insert(text_at(row, "reason"));
    return reasons;
}

// Empty if its connections went over rings as those of the first run did.
std::string fault_of(const TuneRun& run, const Json& first) {
    if (run.ring_bytes() == 0) return "nothing went over a ring";
    const std::set<std::string> known = tcp_reasons(first);
    for (const Json& row : member(run.sums, "tcp")) {
        if (known.count(text_at(row, "reason")) == 0) {
            return fmt::format("connections stayed on TCP: {}", text_at(row, "reason_text"));
        }
    }
    return {};
}

std::vector<Measured> begin_part(const std::vector<TuneSetting>& settings) {
    std::vector<Measured> part;
    for (const TuneSetting& setting : settings) part.push_back({setting, {}, {}});
    return part;
}

}  // namespace

TuneCourse::TuneCourse(TuneRunner& runner, TunePlan plan, Better better,
                       std::optional<std::uint64_t> time_limit_ns)
    : runner_(runner),
      plan_(std::move(plan)),
      better_(better),
      begin_ns_(now_ns()),
      time_limit_ns_(time_limit_ns),
      deadline_ns_(time_limit_ns ? begin_ns_ + *time_limit_ns : kForever) {}

Outcome<TuneFindings> TuneCourse::measure() {
    if (auto proved = prove(); !proved) return tl::unexpected(proved.error());
    if (findings_.end != TuneEnd::complete) return findings_;
    findings_.rings = begin_part(plan_.ring_part(findings_.now));
    auto is_done = measure_part(findings_.rings);
    if (!is_done) return tl::unexpected(is_done.error());
    if (!*is_done) return findings_;
    std::optional<std::uint64_t> ring_size;
    if (!findings_.rings.empty()) {
        ring_size = findings_.rings[choose(findings_.rings, better_).chosen].setting.ring_size_bytes;
    }
    findings_.spins = begin_part(plan_.spin_part(ring_size, findings_.now));
    runs_planned_ = runs_done_ + findings_.spins.size() * plan_.repetitions;
    is_done = measure_part(findings_.spins);
    if (!is_done) return tl::unexpected(is_done.error());
    return findings_;
}

Outcome<void> TuneCourse::prove() {
    auto run = runner_.run({}, deadline_ns_, true);
    if (!run) return tl::unexpected(run.error());
    if (is_over(run->end)) return {};
    if (auto checked = check_what_is_tuned(*run); !checked) return checked;
    auto peers = look_up_peers(runner_.launch().wish.domain, run->sums);
    if (!peers) return tl::unexpected(peers.error());
    findings_.peers = std::move(*peers);
    if (!findings_.peers.empty()) findings_.now = findings_.peers.front().now;
    first_sums_ = run->sums;
    remark_on(*run);
    const std::size_t settings = plan_.max_settings(findings_.now);
    if (time_limit_ns_) {
        const std::uint64_t spent_ns = now_ns() - begin_ns_;
        const std::uint64_t left_ns = *time_limit_ns_ > spent_ns ? *time_limit_ns_ - spent_ns : 0;
        const unsigned wanted = plan_.repetitions;
        plan_.repetitions = plan_.repetitions_within(left_ns, spent_ns, settings);
        if (plan_.repetitions < wanted) {
            findings_.remarks.push_back(
                fmt::format("the time limit left room for {} repetitions of {}", plan_.repetitions, wanted));
        }
    }
    runs_planned_ = settings * plan_.repetitions;
    measuring_since_ns_ = now_ns();
    fmt::print(stderr, "xylem: first run, not counted: {}; {} over rings, {} bytes\n",
               value_text(run->value, runner_.metric().has_value()), run->ring_connections(),
               run->ring_bytes());
    return {};
}

Outcome<void> TuneCourse::check_what_is_tuned(const TuneRun& run) const {
    if (run.ring_bytes() == 0) {
        std::string why = summary_text(run.sums, false);
        while (why.ends_with('\n')) why.pop_back();
        return failed(kFailed, "nothing of the command went over a ring, so there is nothing to tune\n" + why,
                      fmt::format("start the server with: xylem run --domain N -- SERVER, "
                                  "and see: xylem explain --domain {} ADDRESS:PORT",
                                  runner_.launch().wish.domain));
    }
    const bool only_accepts = number_at(member(run.sums, "ring"), "made").value_or(0) == 0;
    if (only_accepts && !plan_.ring_sizes_bytes.empty()) {
        return failed(kFailed,
                      "the command only accepts connections, and the side that connects chooses ring sizes",
                      "tune the client, or spins alone: --ring-sizes none");
    }
    return {};
}

void TuneCourse::remark_on(const TuneRun& run) {
    std::vector<std::string>& remarks = findings_.remarks;
    std::uint64_t on_tcp = 0;
    for (const Json& row : member(run.sums, "tcp")) on_tcp += number_at(row, "connections").value_or(0);
    if (on_tcp != 0) {
        remarks.push_back(
            fmt::format("{} of the command's connections stayed on TCP; why: xylem run --why", on_tcp));
    }
    if (number_at(run.sums, "going_on").value_or(0) != 0) {
        remarks.push_back("the command leaves programs behind, which may disturb the runs after it");
    }
    if (!runner_.metric() && run.value < kShortRunSeconds) {
        remarks.push_back("the command is short, so that its start weighs much: let it do more");
    }
}

Outcome<bool> TuneCourse::measure_part(std::vector<Measured>& part) {
    for (unsigned round = 0; round < plan_.repetitions; ++round) {
        for (Measured& measured : part) {
            if (!measured.fault.empty()) continue;
            auto goes_on = measure_one(measured);
            if (!goes_on || !*goes_on) return goes_on;
        }
    }
    return true;
}

Outcome<bool> TuneCourse::measure_one(Measured& measured) {
    TimedEnd before;
    before.stop_signal = runner_.signals().take();
    before.is_late = now_ns() >= deadline_ns_;
    if (is_over(before)) return false;
    auto run = runner_.run(measured.setting, deadline_ns_, false);
    if (!run) {
        Failure failure = run.error();
        failure.wrong = setting_text(measured.setting, findings_.now) + ": " + failure.wrong;
        return tl::unexpected(failure);
    }
    if (is_over(run->end)) return false;
    ++runs_done_;
    measured.fault = fault_of(*run, first_sums_);
    if (!measured.fault.empty() && measured.setting.is_now()) {
        return failed(kFailed,
                      "the connections of the command do not go over rings each time: " + measured.fault,
                      "see: xylem run --why");
    }
    measured.values.push_back(run->value);
    say(measured);
    return true;
}

bool TuneCourse::is_over(const TimedEnd& end) {
    if (!end.was_ended()) return false;
    findings_.stop_signal = end.stop_signal;
    findings_.end = end.stop_signal != 0 ? TuneEnd::interrupted : TuneEnd::time_limit;
    return true;
}

void TuneCourse::say(const Measured& measured) const {
    const std::uint64_t per_run_ns = (now_ns() - measuring_since_ns_) / runs_done_;
    const std::size_t left = runs_planned_ > runs_done_ ? runs_planned_ - runs_done_ : 0;
    std::uint64_t left_ns = per_run_ns * left;
    if (const std::uint64_t now = now_ns(); deadline_ns_ != kForever) {
        left_ns = std::min(left_ns, deadline_ns_ > now ? deadline_ns_ - now : 0);
    }
    const std::string now_mark = measured.setting.is_now() ? " (now)" : "";
    const std::string outcome = measured.fault.empty()
                                    ? value_text(measured.values.back(), runner_.metric().has_value())
                                    : measured.fault;
    fmt::print(stderr, "xylem: run {} of {}: {}{}: {}; {} left\n", runs_done_, runs_planned_,
               setting_text(measured.setting, findings_.now), now_mark, outcome,
               duration_text((left_ns + kNsPerSecond - 1) / kNsPerSecond));
}

}  // namespace xylem::cli
