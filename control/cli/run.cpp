// `xylem run`: makes sure that the domain has an agent, puts the guest library into LD_PRELOAD and the
// settings into XYLEM_* variables, and becomes the command. Everything that can be wrong is found before the
// agent is started, so that a slip of the finger leaves nothing behind.
#include <fmt/format.h>
#include <stdlib.h>

#include "control/cli/launch.hpp"
#include "control/cli/quantity.hpp"
#include "control/cli/verb.hpp"
#include "control/cli/watched_run.hpp"

namespace xylem::cli {
namespace {

namespace po = boost::program_options;

po::options_description run_options() {
    po::options_description known;
    add_agent_options(known);
    auto add = known.add_options();
    add("ring-size", text_value("SIZE"),
        "ring a direction, 4K to 64M; default the hosts map's, else the agent's (2M)");
    add("spin", text_value("US"), "longest spin before a sleep, in microseconds; 0 never spins");
    add("why", "when all is over, say which connections stayed on TCP, why, and what to do");
    add("verbose,v", "say what is done, and warn of commands that stay on TCP");
    return known;
}

Outcome<void> set_number(const char* variable, const std::optional<std::string>& text,
                         Outcome<std::uint64_t> (*parse)(std::string_view)) {
    if (!text) return {};
    auto number = parse(*text);
    if (!number) return tl::unexpected(number.error());
    ::setenv(variable, std::to_string(*number).c_str(), 1);
    return {};
}

Outcome<void> set_settings(const Arguments& arguments) {
    if (auto set = set_number("XYLEM_RING_SIZE", arguments.value("ring-size"), parse_ring_size); !set)
        return set;
    return set_number("XYLEM_SPIN_NS", arguments.value("spin"), parse_spin);
}

Outcome<int> run_command(const Arguments& arguments) {
    if (arguments.rest().empty()) {
        return misused("run: no command given", "for example: xylem run --domain 1 -- iperf3 -s");
    }
    auto launch = read_launch(arguments);
    if (!launch) return tl::unexpected(launch.error());
    if (auto set = set_settings(arguments); !set) return tl::unexpected(set.error());
    if (auto set = set_environment(*launch); !set) return tl::unexpected(set.error());
    const bool is_verbose = arguments.has("verbose");
    if (is_verbose && launch->obstacle != Reason::none) {
        fmt::print(stderr, "xylem: {}: {}: its sockets stay on TCP\n", launch->program,
                   reason_text(static_cast<std::uint32_t>(launch->obstacle)));
    }
    if (auto agent = ensure_agent(launch->wish); !agent) return tl::unexpected(agent.error());
    const std::uint32_t domain = launch->wish.domain;
    if (is_verbose) {
        fmt::print(stderr, "xylem: domain {}, {}, {}\n", domain, launch->library, launch->program);
    }
    if (!arguments.has("why")) return become(*launch);
    auto watched = WatchedRun::open(domain);
    if (!watched) return tl::unexpected(watched.error());
    return watched->run(launch->program, launch->obstacle, [&] { return become(*launch); });
}

}  // namespace

const Verb kRunVerb{
    "run",
    "run a command with its sockets on Xylem",
    "run [--domain N] [--hosts FILE] [--policy FILE] [--agent-log FILE]\n"
    "    [--ring-size SIZE] [--spin US] [--why] [-v] [--] COMMAND [ARGUMENT...]",
    "Starts the domain's agent if none runs; such an agent ends 10 s after its last program.\n"
    "Exits as COMMAND does, with 127 if there is no such command, 126 if it cannot be\n"
    "executed, 3 if no agent could be started. With --why it waits for COMMAND and for what\n"
    "COMMAND started, and prints sums on standard error.",
    "xylem run --domain 1 -- iperf3 -s\n"
    "xylem run --domain 2 -- iperf3 -c 127.44.0.1\n"
    "xylem run --why -- curl http://127.44.0.1:8080/\n"
    "xylem run --ring-size 1M --spin 0 -- redis-server",
    run_options,
    run_command,
    0,
    true,
};

}  // namespace xylem::cli
