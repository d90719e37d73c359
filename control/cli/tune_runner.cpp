// TuneRunner: as `xylem run --ring-size --spin --why`, but that what the command prints is read here, and
// that /proc is searched in the first run alone. The agent is asked for the sums when the clock has stopped.
#include "control/cli/tune_runner.hpp"

#include <fmt/format.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/cli/agent_run.hpp"
#include "control/cli/bystanders.hpp"
#include "hosts-map/word.hpp"
#include "vsock-transport/base/clock.hpp"

namespace xylem::cli {
namespace {

constexpr std::uint64_t kSettleNs = kNsPerSecond;  // with programs that the command left behind
constexpr unsigned kSettlePauseUs = 10'000;

void set_variable(const char* name, const std::optional<std::uint64_t>& value) {
    if (value) {
        ::setenv(name, std::to_string(*value).c_str(), 1);
    } else {
        ::unsetenv(name);
    }
}

// When nothing of the run goes on. What its last programs said may still be on its way: it is there before
// the second question, unless somebody has only just dialled.
Outcome<Json> settled_sums(AgentRun& run) {
    const std::uint64_t deadline_ns = deadline_after(kSettleNs);
    for (unsigned questions = 1;; ++questions) {
        auto sums = run.sums();
        if (!sums) return sums;
        const bool goes_on =
            number_at(*sums, "going_on").value_or(0) != 0 || number_at(*sums, "greeting").value_or(0) != 0;
        if ((questions > 1 && !goes_on) || now_ns() >= deadline_ns) return sums;
        ::usleep(kSettlePauseUs);
    }
}

std::string end_text(int status) {
    if (!WIFSIGNALED(status)) return fmt::format("exited with {}", WEXITSTATUS(status));
    return fmt::format("was ended by signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)));
}

std::string last_words(const CommandOutput& output) {
    if (output.last_lines().empty()) return "\n  it printed nothing";
    std::string text = "\n  the last it printed:";
    for (const std::string& line : output.last_lines()) text += "\n  | " + printable(line);
    return text;
}

}  // namespace

std::uint64_t TuneRun::ring_connections() const {
    const Json& ring = member(sums, "ring");
    return number_at(ring, "made").value_or(0) + number_at(ring, "accepted").value_or(0);
}

std::uint64_t TuneRun::ring_bytes() const {
    const Json& ring = member(sums, "ring");
    return number_at(ring, "tx_bytes").value_or(0) + number_at(ring, "rx_bytes").value_or(0);
}

Outcome<TimedEnd> TuneRunner::time_command(const TuneSetting& setting, std::uint64_t deadline_ns,
                                           const std::function<void()>& look, CommandOutput& output) const {
    TimedCommand command;
    command.become = [&] {
        set_variable("XYLEM_RING_SIZE", setting.ring_size_bytes);
        set_variable("XYLEM_SPIN_NS", setting.spin_ns);
        return report(become(launch_).value());
    };
    command.look = look;
    command.shows_output = shows_output_;
    command.deadline_ns = deadline_ns;
    return command.run(signals_, output);
}

Outcome<double> TuneRunner::value_of(const TimedEnd& end, const std::optional<std::string>& found,
                                     const CommandOutput& output) const {
    if (end.status != 0) {
        return failed(kFailed, fmt::format("the command {}{}", end_text(end.status), last_words(output)),
                      "try it with xylem run first");
    }
    if (!metric_) return static_cast<double>(end.wall_ns) / static_cast<double>(kNsPerSecond);
    const std::string expression = text::in_quotes(metric_->expression());
    if (!found) {
        return failed(
            kFailed,
            fmt::format("nothing that the command printed matches {}{}", expression, last_words(output)),
            "the expression is looked for in each line of its output");
    }
    const auto number = number_with_unit(*found);
    if (!number) {
        return failed(kFailed,
                      fmt::format("{} found {}, which is no number", expression, text::in_quotes(*found)),
                      "let the first group hold a number, or a number and its unit, and nothing else");
    }
    return *number;
}

Outcome<TuneRun> TuneRunner::run(const TuneSetting& setting, std::uint64_t deadline_ns, bool looks) {
    if (auto agent = ensure_agent(launch_.wish); !agent) return tl::unexpected(agent.error());
    auto at_agent = AgentRun::open(launch_.wish.domain);
    if (!at_agent) return tl::unexpected(at_agent.error());
    Bystanders bystanders(at_agent->name());
    if (launch_.obstacle != Reason::none) bystanders.add(launch_.obstacle, launch_.program);
    std::function<void()> look;
    if (looks) look = [&bystanders] { bystanders.look(); };

    std::optional<std::string> found;
    CommandOutput output([&](const std::string& line) {
        if (!metric_) return;
        if (auto match = metric_->find_in(line)) found = std::move(match);
    });
    TuneRun run;
    auto end = time_command(setting, deadline_ns, look, output);
    if (!end) return tl::unexpected(end.error());
    run.end = *end;
    if (run.end.was_ended()) return run;
    auto value = value_of(run.end, found, output);
    if (!value) return tl::unexpected(value.error());
    run.value = *value;
    auto sums = settled_sums(*at_agent);
    if (!sums) return tl::unexpected(sums.error());
    run.sums = std::move(*sums);
    bystanders.add_to(run.sums);
    return run;
}

}  // namespace xylem::cli
