// `xylem ls`: every socket of the programs of a domain, its transport and why. What is shown is the agents'
// `sockets` report and nothing else, so --json and the table cannot disagree.
#include <fmt/format.h>
#include <unistd.h>

#include "control/cli/gather.hpp"
#include "control/cli/quantity.hpp"
#include "control/cli/socket_text.hpp"
#include "control/cli/table.hpp"
#include "control/cli/verb.hpp"

namespace xylem::cli {
namespace {

namespace po = boost::program_options;

constexpr unsigned kWatchIntervalSeconds = 1;
constexpr const char* kClearScreen = "\033[H\033[2J\033[3J";

po::options_description ls_options() {
    po::options_description known;
    auto add = known.add_options();
    add("domain", text_value("N"),
        "the domain to look at; default XYLEM_DOMAIN, else the default agent's, else the guest's, else 1");
    add("all,a", "every domain with a folder in the runtime directory");
    add("json", "print JSON, one object a look");
    add("watch,w", "look again every second until interrupted");
    return known;
}

std::string bytes_or_dash(const std::optional<std::uint64_t>& bytes) {
    return bytes ? bytes_text(*bytes) : "-";
}

std::string fill_text(const Json& ring, const char* queued, const char* size) {
    if (!ring.is_object()) return "-";
    return percent_text(number_at(ring, queued).value_or(0), number_at(ring, size).value_or(0));
}

Cell transport_cell(const Json& socket) {
    const bool is_ring = text_at(socket, "transport") == "ring";
    const bool listens = text_at(socket, "kind") == "listener";
    const bool is_vsock = text_at(member(socket, "local"), "family") == "vsock";
    if (!is_ring) return {text_at(socket, "transport"), Paint::doubtful};
    if (!text_at(socket, "peer_node").empty()) return {"bridge", Paint::good};
    return {listens && !is_vsock ? "ring+tcp" : "ring", Paint::good};
}

// Why it is not a ring, or not one for everybody.
std::string why_text(const Json& socket) {
    if (text_at(socket, "transport") != "ring") return text_at(socket, "reason_text");
    return bool_at(socket, "private") ? "own domain only: bound to an address that is not the domain's" : "";
}

void add_row(Table& table, const Json& report, const Json& socket) {
    const Json& ring = member(socket, "ring");
    table.add({fmt::format("{}", number_at(report, "domain").value_or(0)), text_at(socket, "state"),
               transport_cell(socket), local_text(socket), name_text(member(socket, "peer")),
               bytes_or_dash(number_at(socket, "tx_bytes")), bytes_or_dash(number_at(socket, "rx_bytes")),
               fill_text(ring, "tx_queued_bytes", "tx_size_bytes"),
               fill_text(ring, "rx_queued_bytes", "rx_size_bytes"), program_text(socket),
               Cell(why_text(socket), Paint::faint)});
}

std::string table_text(const Json& reports) {
    using enum Align;
    Table table({{"DOM", right},
                 {"STATE"},
                 {"VIA"},
                 {"LOCAL"},
                 {"PEER"},
                 {"SENT", right},
                 {"RECEIVED", right},
                 {"OUT", right},
                 {"IN", right},
                 {"PROGRAM"},
                 {"WHY NOT RING"}});
    for (const Json& report : member(reports, "domains")) {
        for (const Json& socket : member(report, "sockets")) add_row(table, report, socket);
    }
    if (table.empty()) return "no program has a TCP socket here\n";
    return table.text(colours_on(stdout));
}

Outcome<int> look(const std::vector<std::uint32_t>& domains, const Arguments& arguments) {
    auto reports = gather(domains, QueryKind::sockets, arguments.has("all"));
    if (!reports) return tl::unexpected(reports.error());
    const bool watches = arguments.has("watch");
    if (arguments.has("json")) {
        fmt::print("{}\n", reports->dump(watches ? -1 : 2));
    } else {
        const bool redraws = watches && ::isatty(STDOUT_FILENO) == 1;
        fmt::print("{}{}{}", redraws ? kClearScreen : "", table_text(*reports),
                   watches && !redraws ? "\n" : "");
    }
    return std::fflush(stdout) == 0 ? kOk : kFailed;
}

Outcome<int> run_ls(const Arguments& arguments) {
    for (;;) {
        auto domains = chosen_domains(arguments);
        if (!domains) return tl::unexpected(domains.error());
        auto result = look(*domains, arguments);
        if (!result || *result != kOk || !arguments.has("watch")) return result;
        ::sleep(kWatchIntervalSeconds);
    }
}

}  // namespace

const Verb kLsVerb{
    "ls",
    "list sockets, the transport of each and why",
    "ls [--domain N | --all] [--json] [--watch]",
    "SENT and RECEIVED count bytes through the ring; OUT and IN say how full the two rings are.\n"
    "A listener 'ring+tcp' takes connections both ways; 'bridge' is a ring whose other end is on another "
    "node.",
    "xylem ls --all\n"
    "xylem ls --domain 2 --watch\n"
    "xylem ls --json | jq '.domains[].sockets[] | select(.transport == \"tcp\") | .reason'",
    ls_options,
    run_ls,
};

}  // namespace xylem::cli
