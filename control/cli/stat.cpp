// `xylem stat`: what an agent has counted, what is used of its quotas, its links and its pool of slabs.
#include <fmt/format.h>

#include "control/cli/bridge_report.hpp"
#include "control/cli/gather.hpp"
#include "control/cli/live.hpp"
#include "control/cli/quantity.hpp"
#include "control/cli/table.hpp"
#include "control/cli/verb.hpp"
#include "control/cli/xen_figures.hpp"

namespace xylem::cli {
namespace {

namespace po = boost::program_options;

constexpr double kNearlyFull = 0.9;

po::options_description stat_options() {
    po::options_description known;
    auto add = known.add_options();
    add("domain", text_value("N"),
        "the domain to look at; default XYLEM_DOMAIN, else the default agent's, else the guest's, else 1");
    add("all,a", "every domain with a folder in the runtime directory");
    add("json", "print JSON; with --live, one object a line");
    add("live", "show what each connection does, every second, or every SECONDS");
    add("count", text_value("N"), "with --live: end after so many times");
    add("sort", text_value("KEY"), "with --live: bytes (default), calls, kicks, sleeps, spins or full");
    add("verbose,v", "also counters that are zero");
    return known;
}

void print_section(const char* title, const Table& table) {
    if (table.empty()) return;
    const bool colours = colours_on(stdout);
    fmt::print("\n{}\n{}", painted(title, Paint::heading, colours), table.text(colours));
}

// Numbers of an object, one a row.
Table number_table(const Json& numbers, const char* title, bool with_zeros) {
    Table table({{title}, {"COUNT", Align::right}});
    if (!numbers.is_object()) return table;
    for (const auto& [name, value] : numbers.items()) {
        if (!value.is_number() || (!with_zeros && value.get<std::uint64_t>() == 0)) continue;
        table.add({printable(name), fmt::format("{}", value.get<std::uint64_t>())});
    }
    return table;
}

Table quota_table(const Json& quotas) {
    using enum Align;
    Table table({{"QUOTA"}, {"USED", right}, {"LIMIT", right}, {"FULL", right}, {"OF"}});
    for (const Json& quota : quotas) {
        const std::uint64_t used = number_at(quota, "used").value_or(0);
        const std::uint64_t limit = number_at(quota, "limit").value_or(0);
        const bool is_bytes = text_at(quota, "unit") == "bytes";
        const auto text = [&](std::uint64_t n) { return is_bytes ? bytes_text(n) : fmt::format("{}", n); };
        const bool is_tight =
            static_cast<double>(used) >= kNearlyFull * static_cast<double>(limit) && used > 0;
        table.add({text_at(quota, "name"), text(used), text(limit),
                   Cell(percent_text(used, limit), is_tight ? Paint::bad : Paint::none),
                   text_at(quota, "counts")});
    }
    return table;
}

Json json_of(const XenFigures& figures) {
    Json json = {{"granted_pages_mapped", figures.granted_pages_mapped},
                 {"others_pages_mapped", figures.others_pages_mapped},
                 {"processes_mapping", figures.processes_mapping},
                 {"processes_not_seen", figures.processes_not_seen},
                 {"event_channels_bound", figures.event_channels}};
    if (figures.grant_limit_pages) json["grant_limit_pages"] = *figures.grant_limit_pages;
    return json;
}

Table peer_table(const Json& peers) {
    using enum Align;
    Table table({{"PEER DOMAIN", right},
                 {"ENDS", right},
                 {"LIMIT", right},
                 {"GRANTED PAGES", right},
                 {"MAPPED PAGES", right},
                 {"STORMS", right},
                 {"BELL STORMS", right}});
    for (const Json& peer : peers) {
        const auto number = [&](const char* name) {
            return fmt::format("{}", number_at(peer, name).value_or(0));
        };
        table.add({number("domain"), number("ends"), number("limit"), number("granted_pages"),
                   number("mapped_pages"), number("storms"), number("bell_storms")});
    }
    return table;
}

// From the sums of all connections, ended ones included.
Table reply_table(const Json& data) {
    using enum Align;
    Table table({{"PEER DOMAIN", right},
                 {"REPLIES TIMED", right},
                 {"MEDIAN", right},
                 {"90%", right},
                 {"99%", right},
                 {"99.9%", right}});
    for (const Json& row : data) {
        const Json& replies = member(row, "replies");
        const std::uint64_t count = number_at(replies, "count").value_or(0);
        if (count == 0) continue;
        const auto time = [&](const char* name) {
            const auto ns = number_at(replies, name);
            return ns ? "< " + time_text(*ns) : "> 1 min";
        };
        const auto domain = number_at(row, "domain");
        table.add({domain ? fmt::format("{}", *domain) : "others", fmt::format("{}", count), time("p50_ns"),
                   time("p90_ns"), time("p99_ns"), time("p999_ns")});
    }
    return table;
}

Table link_table(const Json& links) {
    using enum Align;
    Table table({{"LINK TO", right},
                 {"DIRECTION"},
                 {"STATE"},
                 {"SENT", right},
                 {"RECEIVED", right},
                 {"AGE", right},
                 {"LAST ERROR"}});
    for (const Json& link : links) {
        const std::string state = text_at(link, "state");
        table.add({fmt::format("{}", number_at(link, "domain").value_or(0)), text_at(link, "direction"),
                   Cell(state, state == "ready" ? Paint::good : Paint::doubtful),
                   fmt::format("{}", number_at(link, "messages_sent").value_or(0)),
                   fmt::format("{}", number_at(link, "messages_received").value_or(0)),
                   duration_text(number_at(link, "age_seconds").value_or(0)), text_at(link, "last_error")});
    }
    return table;
}

void print_pool(const Json& pool) {
    if (!pool.is_object()) return;
    const std::uint64_t hits = number_at(pool, "hits").value_or(0);
    const std::uint64_t misses = number_at(pool, "misses").value_or(0);
    fmt::print("\npool: {} idle slabs ({}), {} waiting for their peer, {} of {} takes served from it\n",
               number_at(pool, "slabs").value_or(0), bytes_text(number_at(pool, "bytes").value_or(0)),
               number_at(pool, "waiting").value_or(0), hits, hits + misses);
}

void print_kept(const Json& report) {
    const std::uint64_t kept = number_at(report, "kept_ends").value_or(0);
    if (kept > 0) fmt::print("\n{} ends closed and kept, for their programs to connect again\n", kept);
}

Table node_table(const Json& links) {
    using enum Align;
    Table table({{"NODE"},
                 {"DIRECTION"},
                 {"STATE"},
                 {"OVER"},
                 {"CONNECTIONS", right},
                 {"CUT", right},
                 {"SENT", right},
                 {"RECEIVED", right},
                 {"MESSAGES", right},
                 {"WRITES", right},
                 {"COMPLETIONS", right},
                 {"AGE", right}});
    for (const Json& link : links) {
        const auto number = [&](const char* name) { return number_at(link, name).value_or(0); };
        const std::string state = text_at(link, "state");
        const std::uint64_t messages = number("messages_sent") + number("messages_received");
        table.add({text_at(link, "node"), text_at(link, "direction"),
                   Cell(state, state == "ready" ? Paint::good : Paint::doubtful), text_at(link, "over", "-"),
                   fmt::format("{}", number("connections")), fmt::format("{}", number("cut")),
                   bytes_text(number("bytes_sent")), bytes_text(number("bytes_received")),
                   fmt::format("{}", messages), fmt::format("{}", number("writes")),
                   fmt::format("{}", number("completions")), duration_text(number("age_seconds"))});
    }
    return table;
}

void print_bridge(const Json& report) {
    const std::string over = text_at(report, "dials_over");
    const std::string why_tcp = text_at(report, "why_tcp");
    fmt::print("\nbridge at {} port {}: up {}, {} connections, dials over {}{}\n", text_at(report, "listen"),
               number_at(report, "port").value_or(0),
               duration_text(number_at(report, "uptime_seconds").value_or(0)),
               number_at(report, "connections").value_or(0), over,
               why_tcp.empty() ? "" : fmt::format(" ({})", why_tcp));
    if (over == "RDMA") {
        fmt::print("{} of {} registered with devices\n",
                   bytes_text(number_at(report, "pinned_bytes").value_or(0)),
                   bytes_text(number_at(report, "most_pinned_bytes").value_or(0)));
    }
    print_section("links with nodes", node_table(member(report, "links")));
}

void print_report(const Json& report, bool with_zeros) {
    const Json& programs = member(report, "programs");
    fmt::print("domain {}: up {}, {} programs, {} ring and {} TCP connections since they began\n",
               number_at(report, "domain").value_or(0),
               duration_text(number_at(report, "uptime_seconds").value_or(0)),
               number_at(programs, "sessions").value_or(0),
               number_at(programs, "ring_connections").value_or(0),
               number_at(programs, "tcp_connections").value_or(0));
    print_section("counters", number_table(member(report, "counters"), "NAME", with_zeros));
    print_section("connects that went to TCP",
                  number_table(member(report, "connects_failed"), "REASON", false));
    print_section("connects refused", number_table(member(report, "refused"), "REASON", false));
    print_section("quotas: what this agent holds since it began", quota_table(member(report, "quotas")));
    print_section("Xen: all programs of this guest, as its kernel tells",
                  number_table(member(report, "xen"), "NAME", true));
    print_section("peers", peer_table(member(report, "peers")));
    print_section("from a send to its reply, where this domain called", reply_table(member(report, "data")));
    print_section("links", link_table(member(report, "links")));
    print_pool(member(report, "pool"));
    print_kept(report);
    if (const Json& bridge = member(report, "bridge"); bridge.is_object()) print_bridge(bridge);
}

// What is for --live, given without it.
Outcome<void> check_not_live(const Arguments& arguments) {
    for (const char* option : {"count", "sort"}) {
        if (arguments.has(option)) return misused(fmt::format("--{} is for --live", option));
    }
    if (arguments.rest().empty()) return {};
    return misused(fmt::format("stat: '{}' is one word too many", printable(arguments.rest()[0])),
                   "see: xylem stat --help");
}

Outcome<int> run_stat(const Arguments& arguments) {
    if (arguments.has("live")) {
        const auto options = live_options(arguments);
        return options ? run_live(arguments, *options) : tl::unexpected(options.error());
    }
    if (auto checked = check_not_live(arguments); !checked) return tl::unexpected(checked.error());
    auto domains = chosen_domains(arguments);
    if (!domains) return tl::unexpected(domains.error());
    auto reports = gather(*domains, QueryKind::statistics, arguments.has("all"));
    if (!reports) return tl::unexpected(reports.error());
    const auto xen = read_xen_figures();
    for (Json& domain : (*reports)["domains"]) {
        if (xen) domain["xen"] = json_of(*xen);
        const Json& fabric = member(domain, "fabric_dir");
        auto bridge = fabric.is_string() ? ask_bridge(fabric.get<std::string>()) : std::nullopt;
        if (bridge) domain["bridge"] = std::move(*bridge);
    }
    if (arguments.has("json")) {
        fmt::print("{}\n", reports->dump(2));
        return kOk;
    }
    bool is_first = true;
    for (const Json& report : member(*reports, "domains")) {
        if (!is_first) fmt::print("\n");
        is_first = false;
        print_report(report, arguments.has("verbose"));
    }
    return kOk;
}

}  // namespace

const Verb kStatVerb{
    "stat",
    "print the agent's counters, quotas, links and pool, and the bridge's links",
    "stat [--domain N | --all] [--json] [-v]\n"
    "stat --live [SECONDS] [--domain N | --all] [--json] [--count N] [--sort KEY]",
    "Counters are since the agent began; those that are zero are left out without -v.\n"
    "With --live a terminal becomes a screen, on which s sorts by the next key and q ends.",
    "xylem stat\n"
    "xylem stat --all --json\n"
    "xylem stat --live 5 --count 12 --sort kicks",
    stat_options,
    run_stat,
    1,
};

}  // namespace xylem::cli
