// Launch: the guest library goes into LD_PRELOAD, before what is there.
#include "control/cli/launch.hpp"

#include <errno.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "control/cli/domains.hpp"
#include "control/cli/exec_words.hpp"
#include "control/cli/installation.hpp"
#include "control/cli/program_file.hpp"
#include "control/cli/verb.hpp"
#include "control/protocol/obstacle.hpp"
#include "hosts-map/file.hpp"

namespace xylem::cli {
namespace {

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
    std::error_code error;  // there is no working directory any more: the path stays as it is
    const auto whole = std::filesystem::absolute(*path, error);
    return error ? *path : whole.lexically_normal().string();
}

Reason obstacle_to(const std::string& program) {
    return ::getenv("XYLEM_DISABLE") != nullptr ? Reason::disabled : obstacle_in(program.c_str());
}

}  // namespace

void add_agent_options(boost::program_options::options_description& known, const char* domain_of) {
    auto add = known.add_options();
    const std::string domain = fmt::format(
        "{}; default XYLEM_DOMAIN, else the default agent's, else the guest's, else 1", domain_of);
    add("domain", text_value("N"), domain.c_str());
    add("hosts", text_value("FILE"), "hosts map of an agent that is started here");
    add("policy", text_value("FILE"), "policy of an agent that is started here");
    add("agent-log", text_value("FILE"), "log of an agent that is started here; default dom-N/agent.log");
}

Outcome<AgentWish> read_agent_wish(const Arguments& arguments) {
    for (const char* option : {"hosts", "policy", "agent-log"}) {
        if (arguments.value(option) == "") return misused(fmt::format("--{}: the path is empty", option));
    }
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

Outcome<Launch> read_launch(const Arguments& arguments) {
    auto wish = read_agent_wish(arguments);
    if (!wish) return tl::unexpected(wish.error());
    auto program = find_program(arguments.rest()[0]);
    if (!program) return tl::unexpected(program.error());
    auto library = find_library();
    if (!library) return tl::unexpected(library.error());
    return Launch{*wish, arguments.rest(), *program, *library, obstacle_to(*program)};
}

Outcome<void> set_environment(const Launch& launch) {
    ::setenv("XYLEM_DOMAIN", std::to_string(launch.wish.domain).c_str(), 1);
    return preload(launch.library);
}

tl::unexpected<Failure> become(const Launch& launch) {
    std::vector<char*> words = exec_words(launch.command);
    ::execvp(launch.program.c_str(), words.data());
    const int code = errno == ENOENT ? kNotFound : kCannotExecute;
    return failed(code, fmt::format("cannot execute {}: {}", launch.program, ::strerror(errno)));
}

}  // namespace xylem::cli
