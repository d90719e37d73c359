// A hosts map line is words in a fixed order; each kind of word has its parser (prefix, place, options),
// and this file only says the order. The first error of a line is the one reported.
#include "hosts-map/line.hpp"

#include <span>
#include <vector>

#include "hosts-map/word.hpp"

namespace xylem {

Result<std::optional<HostsEntry>, Diagnostic> parse_hosts_line(std::string_view text,
                                                               std::uint32_t line_number) {
    auto words = text::words_of({text, line_number});
    if (!words) return tl::unexpected(words.error());
    if (words->empty()) return std::optional<HostsEntry>();
    const text::Word& first = words->front();
    auto prefix = parse_prefix(first);
    if (!prefix) return tl::unexpected(prefix.error());
    if (words->size() == 1) {
        return text::wrong_at(first.end(), "the line does not say where " + to_string(*prefix) + " is",
                              "dom:N, vm:NAME, node:ADDRESS[:PORT]/dom:N or tcp");
    }
    auto place = parse_place((*words)[1]);
    if (!place) return tl::unexpected(place.error());
    auto options = parse_options(std::span(*words).subspan(2));
    if (!options) return tl::unexpected(options.error());
    if (options->node_order && place->kind != PlaceKind::node) {
        return text::wrong_at(first, "option 'over' is for domains of other nodes",
                              "node:ADDRESS[:PORT]/dom:N before it, or no such option");
    }
    return HostsEntry{*prefix, *place, *options, first.line, first.column};
}

std::string to_string(const HostsEntry& entry) {
    return to_string(entry.prefix) + " " + to_string(entry.place) + to_string(entry.options);
}

}  // namespace xylem
