// Rates: a connection is known by its agent's life, which has a boot id, the end's number there, and which
// use of the connection it is; TCP sockets, of which nothing is counted, by their cookie. Counters of an end
// go on through all its uses, its bytes begin anew with each.
//
// Totals are differences of the agents' own sums, in which nothing is lost that ends between two looks.
// Agents that have no such sums yet give the sum of the rows.
#include "control/cli/live_rates.hpp"

#include <algorithm>
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

// The sums of a domain's agent; none where it has none, or was another one.
std::optional<Totals> sums_of(const Json& look, const Json& of_report) {
    for (const Json& report : member(look, "domains")) {
        if (figure_at(report, "domain") != figure_at(of_report, "domain")) continue;
        if (text_at(report, "boot_id") != text_at(of_report, "boot_id")) return Totals{};
        if (!member(report, "data").is_array()) return std::nullopt;
        Totals sums{};
        for (const Json& peer : member(report, "data")) {
            const Totals of_peer = totals_of(peer, peer);
            for (std::size_t i = 0; i < kLiveFigures; ++i) sums[i] += of_peer[i];
        }
        return sums;
    }
    return std::nullopt;
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
        LiveRates of_rows{};
        for (const Json& socket : member(report, "sockets")) {
            if (!is_connection(socket)) continue;
            const auto found = known.find(name_of(report, socket));
            const bool is_new = found == known.end();
            view.began += is_new ? 1 : 0;
            if (!is_new) found->second.is_seen_again = true;
            view.rows.push_back(row_of(report, socket, is_new ? nullptr : found->second.socket, seconds));
            if (view.rows.back().rates) add_to(of_rows, *view.rows.back().rates);
        }
        const auto sums_before = sums_of(before, report);
        const auto sums_now = sums_of(now, report);
        const bool are_known = sums_before && sums_now;
        add_to(view.totals, are_known ? rates_between(*sums_before, *sums_now, seconds) : of_rows);
    }
    for (const auto& [name, connection] : known) view.ended += connection.is_seen_again ? 0 : 1;
    return view;
}

std::span<const std::string_view> live_sort_keys() { return kSortKeys; }

void sort_rows(std::vector<LiveRow>& rows, std::string_view key) {
    std::stable_sort(rows.begin(), rows.end(), [key](const LiveRow& a, const LiveRow& b) {
        return sort_value(a, key) > sort_value(b, key);
    });
}

}  // namespace xylem::cli
