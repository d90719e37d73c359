// Run summary: a line for rings, one for TCP, one for programs past the library, and under the latter two a
// line for each reason and name, the biggest first, with what to do about it.
#include "control/cli/run_summary.hpp"

#include <fmt/format.h>

#include "control/cli/quantity.hpp"
#include "control/cli/remedy.hpp"

namespace xylem::cli {
namespace {

constexpr std::size_t kMaxRows = 10;

std::string counted(std::uint64_t count, const char* noun) {
    return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string exact_bytes(std::uint64_t bytes) {
    const std::string exact = counted(bytes, "byte");
    return bytes < 1024 ? exact : fmt::format("{} ({})", exact, bytes_text(bytes));
}

std::string ring_line(const Json& ring) {
    const std::uint64_t made = number_at(ring, "made").value_or(0);
    const std::uint64_t accepted = number_at(ring, "accepted").value_or(0);
    if (made + accepted == 0) return "no connection";
    return fmt::format("{} ({} made, {} accepted): {} sent, {} received",
                       counted(made + accepted, "connection"), made, accepted,
                       exact_bytes(number_at(ring, "tx_bytes").value_or(0)),
                       exact_bytes(number_at(ring, "rx_bytes").value_or(0)));
}

std::uint64_t sum_of(const Json& rows, const char* count_field, std::size_t from = 0) {
    std::uint64_t sum = 0;
    for (std::size_t i = from; i < rows.size(); ++i) sum += number_at(rows[i], count_field).value_or(0);
    return sum;
}

std::string row_text(const Json& row, const char* name_field, const char* count_field) {
    const std::string_view remedy = remedy_for(text_at(row, "reason"));
    return fmt::format("xylem: {:>8}  {}  {}: {}{}{}{}\n", number_at(row, count_field).value_or(0),
                       text_at(row, name_field, "others"), text_at(row, "reason"),
                       text_at(row, "reason_text"), bool_at(row, "has_sockets") ? "; it has TCP sockets" : "",
                       remedy.empty() ? "" : "; ", remedy);
}

std::string rows_text(const Json& rows, const char* name_field, const char* count_field) {
    std::string text;
    // One line more costs no more than the line that says that there is one more.
    const std::size_t shown = rows.size() <= kMaxRows + 1 ? rows.size() : kMaxRows;
    for (std::size_t i = 0; i < shown; ++i) text += row_text(rows[i], name_field, count_field);
    if (shown < rows.size()) {
        text +=
            fmt::format("xylem: {:>8}  and {} more\n", sum_of(rows, count_field, shown), rows.size() - shown);
    }
    return text;
}

}  // namespace

std::string summary_text(const Json& report, bool colours) {
    const Json& tcp = member(report, "tcp");
    const Json& bypasses = member(report, "bypasses");
    const std::uint64_t on_tcp = sum_of(tcp, "connections");
    std::string text = fmt::format("xylem: {}: {}\n", painted("over rings", Paint::good, colours),
                                   ring_line(member(report, "ring")));
    text += fmt::format("xylem: {}: {}\n",
                        painted("on TCP", on_tcp == 0 ? Paint::none : Paint::doubtful, colours),
                        on_tcp == 0 ? "no connection" : counted(on_tcp, "connection"));
    text += rows_text(tcp, "peer", "connections");
    if (!bypasses.empty()) {
        text += fmt::format("xylem: {}: {}\n", painted("past the library", Paint::doubtful, colours),
                            counted(sum_of(bypasses, "times"), "program"));
        text += rows_text(bypasses, "program", "times");
    } else if (number_at(report, "sessions") == 0) {
        text += "xylem: no program used a TCP socket through the library\n";
    }
    return text;
}

}  // namespace xylem::cli
