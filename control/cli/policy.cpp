// `xylem policy check` and `xylem policy show`: the agent's allow/deny list as a file, and as it is in force.
#include <fmt/format.h>

#include "control/cli/agent_client.hpp"
#include "control/cli/domains.hpp"
#include "control/cli/hosts_source.hpp"
#include "control/cli/table.hpp"
#include "control/cli/verb.hpp"
#include "hosts-map/file.hpp"

namespace xylem::cli {
namespace {

namespace po = boost::program_options;

po::options_description policy_options() {
    po::options_description known;
    auto add = known.add_options();
    add("domain", text_value("N"),
        "show: ask the agent of this domain; default XYLEM_DOMAIN, else the default agent's, else the "
        "guest's, else 1");
    return known;
}

Result<Policy, LoadFailure> read_policy(const std::string& file, const std::string& text) {
    auto policy = Policy::parse(text);
    if (policy) return std::move(*policy);
    return tl::unexpected<LoadFailure>(LoadFailure{file, 0, {}, policy.error()});
}

Outcome<int> check(const std::string& file) {
    const bool is_standard_input = file == "-";
    Result<Policy, LoadFailure> policy;
    if (is_standard_input) {
        auto text = read_standard_input();
        if (!text) return tl::unexpected(text.error());
        policy = read_policy("<stdin>", *text);
    } else {
        policy = load_policy(file);
    }
    if (!policy) {
        fmt::print(stderr, "{}\n", to_string(policy.error()));
        return kFailed;
    }
    const std::size_t count = policy->rules().size();
    fmt::print("{}: ok, {} {}\n", is_standard_input ? "<stdin>" : file, count, count == 1 ? "rule" : "rules");
    return kOk;
}

Outcome<int> show(const Arguments& arguments) {
    auto domain = chosen_domain(arguments.value("domain"));
    if (!domain) return tl::unexpected(domain.error());
    auto map = ask_agent(*domain, QueryKind::map);
    if (!map) return tl::unexpected(map.error());
    const std::string file = text_at(*map, "policy_file");
    Table table({{"RULE"}, {"LINE"}});
    for (const Json& rule : member(*map, "policy_rules")) {
        table.add({text_at(rule, "text"), place_of_line(file, number_at(rule, "line").value_or(0))});
    }
    table.add({"allow from any to port any", "where no rule matches"});
    fmt::print("{}", table.text(colours_on(stdout)));
    if (const std::string error = text_at(*map, "policy_last_error"); !error.empty()) {
        fmt::print(stderr, "xylem: the file has changed, but its new version is not in force:\n{}\n", error);
    }
    return kOk;
}

Outcome<int> run_policy(const Arguments& arguments) {
    const auto& words = arguments.rest();
    if (words.empty()) return misused("policy: say what: check or show", "see: xylem policy --help");
    if (words[0] == "show" && words.size() == 1) return show(arguments);
    if (words[0] == "show") return misused("policy show: takes no file", "see: xylem policy --help");
    if (words[0] != "check") {
        return misused(fmt::format("policy: there is no '{}'{}", printable(words[0]),
                                   suggestion(words[0], {"check", "show"})),
                       "see: xylem policy --help");
    }
    if (words.size() < 2) {
        return misused("policy check: no file given", "for example: xylem policy check /etc/xylem/policy");
    }
    return check(words[1]);
}

}  // namespace

const Verb kPolicyVerb{
    "policy",
    "check or show who may reach what over a ring",
    "policy check FILE\n"
    "policy show [--domain N]",
    "check prints every mistake as file:line:column and exits 1 if there is one; '-' is standard\n"
    "input. show prints the rules of the domain's agent in the order in which they are tried.",
    "xylem policy check /etc/xylem/policy",
    policy_options,
    run_policy,
    2,
};

}  // namespace xylem::cli
