// Rates: a connection is known by its agent's life, which has a boot id, the end's number there, and which
// use of the connection it is; TCP sockets, of which nothing is counted, by their cookie. Counters of an end
// go on through all its uses, its bytes begin anew with each.
//
// Totals are differences of the agents' own sums, in which nothing is lost that ends between two looks.
// Agents that have no such sums yet give the sum of the rows.
#include "control/cli/live_rates.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "control/cli/socket_text.hpp"

namespace xylem::cli {
namespace {

using Totals = std::array<std::uint64_t, kLiveFigures>;
// domain, boot id, end id or 0, cookie or 0
using ConnectionName = std::tuple<std::uint64_t, std::string, std::uint64_t, std::uint64_t>;

constexpr std::array<std::string_view, 6> kSortKeys{"bytes", "calls", "kicks", "sleeps", "spins", "full"};

std::uint64_t figure_at(const Json& object, const char* name) { return number_at(object, name).value_or(0); }

Totals totals_of(const Json& bytes, const Json& counters) {
    return {figure_at(bytes, "tx_bytes"),
            figure_at(bytes, "rx_bytes"),
            figure_at(counters, "send_calls") + figure_at(counters, "receive_calls"),
            figure_at(counters, "kicks_sent"),
            figure_at(counters, "kicks_suppressed"),
            figure_at(counters, "sleeps"),
            figure_at(counters, "spins_won"),
            figure_at(counters, "spins_lost"),
            figure_at(counters, "ring_full")};
}

LiveRates rates_between(const Totals& before, const Totals& now, double seconds) {
    LiveRates rates{};
    for (std::size_t i = 0; i < kLiveFigures; ++i) {
        const std::uint64_t difference = now[i] > before[i] ? now[i] - before[i] : 0;
        rates[i] = seconds > 0 ? static_cast<double>(difference) / seconds : 0;
    }
    return rates;
}

struct Known {
    const Json* socket = nullptr;
    bool is_seen_again = false;
};
using KnownConnections = std::map<ConnectionName, Known>;

bool is_connection(const Json& socket) { return text_at(socket, "kind") == "connection"; }

ConnectionName name_of(const Json& report, const Json& socket) {
    const std::uint64_t end_id = figure_at(socket, "end_id");
    return {figure_at(report, "domain"), text_at(report, "boot_id"), end_id,
            end_id != 0 ? 0 : figure_at(socket, "cookie")};
}

KnownConnections connections_in(const Json& look) {
    KnownConnections known;
    for (const Json& report : member(look, "domains")) {
        for (const Json& socket : member(report, "sockets")) {
            if (is_connection(socket)) known[name_of(report, socket)].socket = &socket;
        }
    }
    return known;
}

// What to subtract from the figures of now.
Totals beginning_of(const Json* before, const Json& now) {
    const Json& counters = member(now, "counters");
    if (before == nullptr) {
        // In another use than the first one, earlier ones are in its counters: those are left out for once.
        Totals none = totals_of(Json(), counters);
        return figure_at(now, "use") == 0 ? Totals{} : none;
    }
    const bool is_same_use = figure_at(*before, "use") == figure_at(now, "use");
    return totals_of(is_same_use ? *before : Json(), member(*before, "counters"));
}

LiveRow row_of(const Json& report, const Json& socket, const Json* before, double seconds) {
    LiveRow row;
    row.domain = figure_at(report, "domain");
    row.local = local_text(socket);
    row.peer = name_text(member(socket, "peer"));
    row.transport = text_at(socket, "transport");
    if (!text_at(socket, "peer_node").empty()) row.transport = "bridge";
    row.program = program_text(socket);
    if (const Json& counters = member(socket, "counters"); counters.is_object())
        row.rates = rates_between(beginning_of(before, socket), totals_of(socket, counters), seconds);
    return row;
}

// Null where its agent did not answer.
const Json& report_of(const Json& look, std::uint64_t domain) {
    static const Json kNull;
    for (const Json& report : member(look, "domains")) {
        if (figure_at(report, "domain") == domain) return report;
    }
    return kNull;
}

// Between the times that both reports have under that name.
double seconds_between(const Json& then, const Json& report, const char* name, double otherwise) {
    const auto begin_ns = number_at(then, name);
    const auto end_ns = number_at(report, name);
    if (!begin_ns || !end_ns || *end_ns <= *begin_ns) return otherwise;
    return static_cast<double>(*end_ns - *begin_ns) / 1e9;
}

// Uptimes are in whole seconds, as intervals are, but for the time that looks take.
bool began_within(const Json& report, double seconds) {
    const auto uptime = number_at(report, "uptime_seconds");
    return uptime && static_cast<double>(*uptime) < std::round(seconds);
}

// The sums of a domain's agent; none where it has none.
std::optional<Totals> sums_of(const Json& report) {
    if (!member(report, "data").is_array()) return std::nullopt;
    Totals sums{};
    for (const Json& peer : member(report, "data")) {
        const Totals of_peer = totals_of(peer, peer);
        for (std::size_t i = 0; i < kLiveFigures; ++i) sums[i] += of_peer[i];
    }
    return sums;
}

// Another agent than now had sums of its own.
std::optional<Totals> sums_before(const Json& then, const Json& report) {
    const bool is_same_agent = then.is_object() && text_at(then, "boot_id") == text_at(report, "boot_id");
    return is_same_agent ? sums_of(then) : Totals{};
}

void add_to(LiveRates& totals, const LiveRates& rates) {
    for (std::size_t i = 0; i < kLiveFigures; ++i) totals[i] += rates[i];
}

double sort_value(const LiveRow& row, std::string_view key) {
    using enum LiveFigure;
    if (!row.rates) return -1;
    const auto rate = [&row](LiveFigure figure) { return rate_of(*row.rates, figure); };
    if (key == "calls") return rate(calls);
    if (key == "kicks") return rate(kicks_sent) + rate(kicks_suppressed);
    if (key == "sleeps") return rate(sleeps);
    if (key == "spins") return rate(spins_won) + rate(spins_lost);
    if (key == "full") return rate(ring_full);
    return rate(tx_bytes) + rate(rx_bytes);
}

}  // namespace

LiveView live_view(const Json& before, const Json& now, double seconds) {
    LiveView view;
    view.seconds = seconds;
    KnownConnections known = connections_in(before);
    for (const Json& report : member(now, "domains")) {
        const Json& then = report_of(before, figure_at(report, "domain"));
        const bool is_known = then.is_object() || began_within(report, seconds);
        const double of_sockets = seconds_between(then, report, "asked_at_ns", seconds);
        const double of_sums = seconds_between(then, report, "summed_at_ns", seconds);
        LiveRates of_rows{};
        for (const Json& socket : member(report, "sockets")) {
            if (!is_connection(socket)) continue;
            const auto found = known.find(name_of(report, socket));
            const bool is_new = found == known.end();
            view.began += is_new && is_known ? 1 : 0;
            if (!is_new) found->second.is_seen_again = true;
            LiveRow row = row_of(report, socket, is_new ? nullptr : found->second.socket, of_sockets);
            if (!is_known) row.rates.reset();
            if (row.rates) add_to(of_rows, *row.rates);
            view.rows.push_back(std::move(row));
        }
        if (!is_known) continue;
        const auto of_then = sums_before(then, report);
        const auto of_now = sums_of(report);
        add_to(view.totals, of_then && of_now ? rates_between(*of_then, *of_now, of_sums) : of_rows);
    }
    for (const auto& [name, connection] : known) {
        const bool has_answered = report_of(now, std::get<0>(name)).is_object();
        view.ended += has_answered && !connection.is_seen_again ? 1 : 0;
    }
    return view;
}

std::span<const std::string_view> live_sort_keys() { return kSortKeys; }

void sort_rows(std::vector<LiveRow>& rows, std::string_view key) {
    std::stable_sort(rows.begin(), rows.end(), [key](const LiveRow& a, const LiveRow& b) {
        return sort_value(a, key) > sort_value(b, key);
    });
}

}  // namespace xylem::cli
