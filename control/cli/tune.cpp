// `xylem tune`: measures the user's own command under several ring sizes and spins, and says which of them
// suit it. What is measured and in which order is tune_plan's, a single run tune_runner's, the course of runs
// tune_course's, the choice tune_choice's, and what is said about it tune_result's.
#include <fmt/format.h>

#include "control/cli/quantity.hpp"
#include "control/cli/tune_course.hpp"
#include "control/cli/tune_result.hpp"
#include "control/cli/verb.hpp"

namespace xylem::cli {
namespace {

namespace po = boost::program_options;

// Steps of four, since sizes that are close differ by less than runs do; and spins from none to a few
// wake-ups.
constexpr const char* kRingSizes = "64K,256K,1M,4M";
constexpr const char* kSpins = "0,20,50,200";

po::options_description tune_options() {
    po::options_description known;
    add_agent_options(known);
    auto add = known.add_options();
    add("ring-sizes", text_value("LIST"), "ring sizes to try, or none; default 64K,256K,1M,4M");
    add("spins", text_value("LIST"), "spins to try, in microseconds, or none; default 0,20,50,200");
    add("repetitions", text_value("N"), "runs of each setting, 5 to 1000; default 5");
    add("time-limit", text_value("TIME"),
        "when to end, in seconds (or with s, min or h); fewer repetitions, if need be");
    add("metric", text_value("REGEX"), "measure a number that COMMAND prints: the expression's first group");
    add("higher", "of the metric, more is better");
    add("lower", "of the metric, less is better");
    add("json", "print JSON");
    add("verbose,v", "show what COMMAND prints");
    return known;
}

Outcome<TunePlan> read_plan(const Arguments& arguments) {
    TunePlan plan;
    auto sizes =
        parse_list(arguments.value("ring-sizes").value_or(kRingSizes), "ring-sizes", parse_ring_size);
    if (!sizes) return tl::unexpected(sizes.error());
    plan.ring_sizes_bytes = *sizes;
    auto spins = parse_list(arguments.value("spins").value_or(kSpins), "spins", parse_spin);
    if (!spins) return tl::unexpected(spins.error());
    plan.spins_ns = *spins;
    if (sizes->empty() && spins->empty()) {
        return misused("tune: with neither ring sizes nor spins there is nothing to try");
    }
    if (const auto text = arguments.value("repetitions")) {
        auto repetitions = parse_repetitions(*text);
        if (!repetitions) return tl::unexpected(repetitions.error());
        plan.repetitions = *repetitions;
    }
    return plan;
}

Outcome<TuneQuantity> read_quantity(const Arguments& arguments) {
    const auto metric = arguments.value("metric");
    const bool is_higher = arguments.has("higher");
    const bool is_lower = arguments.has("lower");
    if (is_higher && is_lower) return misused("tune: --higher and --lower exclude each other");
    if (!metric && (is_higher || is_lower)) {
        return misused("tune: --higher and --lower belong to --metric; of the wall time less is better");
    }
    if (metric && !is_higher && !is_lower) {
        return misused("tune: --metric needs --higher or --lower: which is better?");
    }
    return TuneQuantity{metric.value_or(""), is_higher ? Better::higher : Better::lower};
}

Outcome<std::optional<TuneMetric>> read_metric(const Arguments& arguments) {
    const auto expression = arguments.value("metric");
    if (!expression) return std::nullopt;
    auto metric = TuneMetric::parse(*expression);
    if (!metric) return tl::unexpected(metric.error());
    return std::move(*metric);
}

Outcome<std::optional<std::uint64_t>> read_time_limit(const Arguments& arguments) {
    const auto text = arguments.value("time-limit");
    if (!text) return std::nullopt;
    auto limit_ns = parse_time_limit(*text);
    if (!limit_ns) return tl::unexpected(limit_ns.error());
    return *limit_ns;
}

int exit_code_of(const TuneFindings& findings, Better better) {
    if (findings.end == TuneEnd::interrupted) return 128 + findings.stop_signal;
    return verdict_of(findings, better).is_known ? kOk : kFailed;
}

Outcome<int> run_tune(const Arguments& arguments) {
    if (arguments.rest().empty()) {
        return misused("tune: no command given",
                       "for example: xylem tune --domain 2 -- iperf3 -c 127.44.0.1");
    }
    auto plan = read_plan(arguments);
    if (!plan) return tl::unexpected(plan.error());
    auto quantity = read_quantity(arguments);
    if (!quantity) return tl::unexpected(quantity.error());
    auto metric = read_metric(arguments);
    if (!metric) return tl::unexpected(metric.error());
    auto time_limit_ns = read_time_limit(arguments);
    if (!time_limit_ns) return tl::unexpected(time_limit_ns.error());
    auto launch = read_launch(arguments);
    if (!launch) return tl::unexpected(launch.error());
    if (auto set = set_environment(*launch); !set) return tl::unexpected(set.error());

    TuneRunner runner(std::move(*launch), std::move(*metric), arguments.has("verbose"));
    auto findings = TuneCourse(runner, *plan, quantity->better, *time_limit_ns).measure();
    if (!findings) return tl::unexpected(findings.error());
    if (arguments.has("json")) {
        fmt::print("{}\n",
                   result_json(*findings, *quantity).dump(2, ' ', false, Json::error_handler_t::replace));
    } else {
        fmt::print("{}", result_text(*findings, *quantity, colours_on(stdout)));
    }
    std::fflush(stdout);  // a signal that has come meanwhile ends this process once the runner is gone
    return exit_code_of(*findings, quantity->better);
}

}  // namespace

const Verb kTuneVerb{
    "tune",
    "find the ring size and the spin that suit a command",
    "tune [--domain N] [--hosts FILE] [--policy FILE] [--agent-log FILE]\n"
    "     [--ring-sizes LIST] [--spins LIST] [--repetitions N] [--time-limit TIME]\n"
    "     [--metric REGEX --higher | --metric REGEX --lower] [--json] [-v]\n"
    "     [--] COMMAND [ARGUMENT...]",
    "Runs COMMAND again and again, as xylem run --ring-size --spin does, against a server that stays up:\n"
    "first under several ring sizes, then under several spins with the best of these. Settings take\n"
    "turns. One that is better than what is now by more than the spread of its runs is printed, with the\n"
    "line for the hosts map; among equals the smaller. Less wall time is better, or more (or less) of\n"
    "the number that COMMAND prints in the last line that matches --metric. Tune the side that connects:\n"
    "it chooses the ring size of both directions; each side has its own spin.\n"
    "Exits 1 if COMMAND fails or none of its bytes go over rings. An interrupt ends COMMAND, and what is\n"
    "known so far is printed.",
    "xylem run --domain 1 -- iperf3 -s -D\n"
    "xylem tune --domain 2 -- iperf3 -c 127.44.0.1 -n 10G\n"
    "xylem tune --domain 2 --metric 'Requests.sec:\\s+([0-9.]+)' --higher -- wrk -d 3 "
    "http://127.44.0.1:8080/\n"
    "xylem tune --spins none --ring-sizes 1M,8M --time-limit 5min -- ./client",
    tune_options,
    run_tune,
    0,
    true,
};

}  // namespace xylem::cli
