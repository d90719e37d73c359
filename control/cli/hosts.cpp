// `xylem hosts check` and `xylem hosts show`: the hosts map as a file, and as it is in force.
#include <fmt/format.h>

#include "control/cli/agent_client.hpp"
#include "control/cli/domains.hpp"
#include "control/cli/hosts_source.hpp"
#include "control/cli/quantity.hpp"
#include "control/cli/table.hpp"
#include "control/cli/verb.hpp"

namespace xylem::cli {
namespace {

namespace po = boost::program_options;

po::options_description hosts_options() {
    po::options_description known;
    auto add = known.add_options();
    add("domain", text_value("N"),
        "show: ask the agent of this domain; default XYLEM_DOMAIN, else the default agent's, else the "
        "guest's, else 1");
    add("json", "show: print JSON");
    return known;
}

Outcome<int> check(const std::string& file) {
    auto source = read_hosts(file);
    if (!source) {
        // Diagnostics stand alone, so that editors find file:line:column at the start of the line.
        fmt::print(stderr, "{}\n", source.error().wrong);
        return kFailed;
    }
    const std::size_t count = source->map.entries().size();
    fmt::print("{}: ok, {} {}\n", source->file, count,
               count == 1 ? "line maps an address" : "lines map addresses");
    return kOk;
}

// The agent's map; where none runs, the file's.
Outcome<Json> map_in_force(std::uint32_t domain) {
    auto map = ask_agent(domain, QueryKind::map);
    if (map || map.error().exit_code != kNoAgent) return map;
    auto source = read_hosts(std::nullopt);
    if (!source) return tl::unexpected(source.error());
    return map_json(*source);
}

void print_map(const Json& map) {
    const std::string file = text_at(map, "file");
    const bool from_file = bool_at(map, "from_file");
    fmt::print("{}{}\n\n", file, from_file ? "" : " does not exist: 127.44.H.L is domain 256*H+L");
    Table table({{"ADDRESS"}, {"WHERE"}, {"OPTIONS"}, {"LINE"}});
    for (const Json& entry : member(map, "entries")) {
        table.add({address_text(entry), where_text(entry), options_text(entry),
                   place_of_line(file, number_at(entry, "line").value_or(0))});
    }
    fmt::print("{}", table.text(colours_on(stdout)));
    if (const std::string error = text_at(map, "last_error"); !error.empty()) {
        fmt::print(stderr, "xylem: the file has changed, but its new version is not in force:\n{}\n", error);
    }
}

Outcome<int> show(const Arguments& arguments) {
    Outcome<Json> map;
    if (arguments.rest().size() > 1) {
        auto source = read_hosts(arguments.rest()[1]);
        map = source ? Outcome<Json>(map_json(*source)) : tl::unexpected(source.error());
    } else {
        auto domain = chosen_domain(arguments.value("domain"));
        if (!domain) return tl::unexpected(domain.error());
        map = map_in_force(*domain);
    }
    if (!map) return tl::unexpected(map.error());
    if (arguments.has("json")) {
        // The name of a file may be any bytes.
        fmt::print("{}\n", map->dump(2, ' ', false, Json::error_handler_t::replace));
    } else {
        print_map(*map);
    }
    return kOk;
}

Outcome<int> run_hosts(const Arguments& arguments) {
    const auto& words = arguments.rest();
    if (words.empty()) return misused("hosts: say what: check or show", "see: xylem hosts --help");
    if (words[0] == "show") return show(arguments);
    if (words[0] != "check") {
        return misused(fmt::format("hosts: there is no '{}'{}", printable(words[0]),
                                   suggestion(words[0], {"check", "show"})),
                       "see: xylem hosts --help");
    }
    if (words.size() < 2)
        return misused("hosts check: no file given", "for example: xylem hosts check /etc/xylem/hosts");
    return check(words[1]);
}

}  // namespace

const Verb kHostsVerb{
    "hosts",
    "check or show the hosts map",
    "hosts check FILE\n"
    "hosts show [--domain N] [--json] [FILE]",
    "check prints every mistake as file:line:column and exits 1 if there is one; '-' is standard\n"
    "input. show prints the map of FILE; without FILE the one that is in force: the agent's, or\n"
    "where none runs, the one an agent would read.",
    "xylem hosts check /etc/xylem/hosts\n"
    "xylem hosts show\n"
    "xylem hosts show --json --domain 2",
    hosts_options,
    run_hosts,
    2,
};

}  // namespace xylem::cli
