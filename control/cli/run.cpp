// `xylem run`: makes sure that the domain has an agent, puts the guest library into LD_PRELOAD and the
// settings into XYLEM_* variables, and becomes the command. Everything that can be wrong is found before the
// agent is started, so that a slip of the finger leaves nothing behind.
#include <errno.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <filesystem>

#include "control/cli/agent_start.hpp"
#include "control/cli/domains.hpp"
#include "control/cli/exec_words.hpp"
#include "control/cli/installation.hpp"
#include "control/cli/program_file.hpp"
#include "control/cli/quantity.hpp"
#include "control/cli/verb.hpp"
#include "control/cli/watched_run.hpp"
#include "control/protocol/obstacle.hpp"
#include "hosts-map/file.hpp"

namespace xylem::cli {
namespace {

namespace po = boost::program_options;

po::options_description run_options() {
    po::options_description known;
    auto add = known.add_options();
    add("domain", text_value("N"),
        "the domain that COMMAND belongs to; default XYLEM_DOMAIN, else the guest's, else 1");
    add("hosts", text_value("FILE"), "hosts map of an agent that is started here");
    add("policy", text_value("FILE"), "policy of an agent that is started here");
    add("ring-size", text_value("SIZE"), "ring a direction, 4K to 64M; default 2M, or the hosts map's");
    add("spin", text_value("US"), "longest spin before a sleep, in microseconds; 0 never spins");
    add("agent-log", text_value("FILE"), "log of an agent that is started here; default dom-N/agent.log");
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

// The loader parts LD_PRELOAD at colons and blanks and knows no quoting.
Outcome<void> preload(const std::string& library) {
    if (library.find_first_of(": \t\n") != library.npos) {
        return failed(kFailed,
                      fmt::format("the path {} has a blank or a colon, which LD_PRELOAD cannot hold",
                                  printable(library)),
                      "move or install Xylem to another folder");
    }
    const char* set = ::getenv("LD_PRELOAD");
    std::string others = set != nullptr ? set : "";
    if ((":" + others + ":").find(":" + library + ":") != others.npos) return {};
    ::setenv("LD_PRELOAD", (others.empty() ? library : library + ":" + others).c_str(), 1);
    return {};
}

std::optional<std::string> absolute(const std::optional<std::string>& path) {
    if (!path) return std::nullopt;
    return std::filesystem::absolute(*path).lexically_normal().string();
}

Outcome<AgentWish> read_wish(const Arguments& arguments) {
    auto domain = chosen_domain(arguments.value("domain"));
    if (!domain) return tl::unexpected(domain.error());
    AgentWish wish{*domain, absolute(arguments.value("hosts")), absolute(arguments.value("policy")),
                   arguments.value("agent-log")};
    if (wish.hosts_file) {
        if (auto map = load_hosts_map(*wish.hosts_file); !map) return misused(to_string(map.error()));
    }
    if (wish.policy_file) {
        if (auto policy = load_policy(*wish.policy_file); !policy) return misused(to_string(policy.error()));
    }
    return wish;
}

Outcome<void> set_environment(const Arguments& arguments, std::uint32_t domain, const std::string& library) {
    if (auto set = set_number("XYLEM_RING_SIZE", arguments.value("ring-size"), parse_ring_size); !set)
        return set;
    if (auto set = set_number("XYLEM_SPIN_NS", arguments.value("spin"), parse_spin); !set) return set;
    ::setenv("XYLEM_DOMAIN", std::to_string(domain).c_str(), 1);
    return preload(library);
}

Reason obstacle_to(const std::string& program) {
    return ::getenv("XYLEM_DISABLE") != nullptr ? Reason::disabled : obstacle_in(program.c_str());
}

tl::unexpected<Failure> become(const std::string& path, const std::vector<std::string>& command) {
    std::vector<char*> words = exec_words(command);
    ::execvp(path.c_str(), words.data());
    const int code = errno == ENOENT ? kNotFound : kCannotExecute;
    return failed(code, fmt::format("cannot execute {}: {}", path, ::strerror(errno)));
}

Outcome<int> run_command(const Arguments& arguments) {
    if (arguments.rest().empty()) {
        return misused("run: no command given", "for example: xylem run --domain 1 -- iperf3 -s");
    }
    auto wish = read_wish(arguments);
    if (!wish) return tl::unexpected(wish.error());
    auto program = find_program(arguments.rest()[0]);
    if (!program) return tl::unexpected(program.error());
    auto library = find_library();
    if (!library) return tl::unexpected(library.error());
    if (auto set = set_environment(arguments, wish->domain, *library); !set)
        return tl::unexpected(set.error());
    const bool is_verbose = arguments.has("verbose");
    const Reason obstacle = obstacle_to(*program);
    if (is_verbose && obstacle != Reason::none) {
        fmt::print(stderr, "xylem: {}: {}: its sockets stay on TCP\n", *program,
                   reason_text(static_cast<std::uint32_t>(obstacle)));
    }
    if (auto agent = ensure_agent(*wish); !agent) return tl::unexpected(agent.error());
    if (is_verbose) {
        fmt::print(stderr, "xylem: domain {}, {}, {}\n", wish->domain, *library, *program);
    }
    const auto become_command = [&] { return become(*program, arguments.rest()); };
    if (!arguments.has("why")) return become_command();
    auto watched = WatchedRun::open(wish->domain);
    if (!watched) return tl::unexpected(watched.error());
    return watched->run(*program, obstacle, become_command);
}

}  // namespace

const Verb kRunVerb{
    "run",
    "run a command with its sockets on Xylem",
    "run [--domain N] [--hosts FILE] [--policy FILE] [--ring-size SIZE]\n"
    "    [--spin US] [--agent-log FILE] [--why] [-v] [--] COMMAND [ARGUMENT...]",
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
