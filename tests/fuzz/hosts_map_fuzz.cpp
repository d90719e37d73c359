// Feeds any text to the hosts map's parser. Whatever it says must hold together:
// - a diagnostic points into its line, or just past its end, and prints as one line;
// - an entry prints as a line that parses to an equal entry;
// - an entry's own network is found by it or by a longer prefix, and a domain's address leads back to it.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hosts-map/map.hpp"
#include "tests/fuzz/diagnostics_check.hpp"

namespace {

using namespace xylem;

void check_entry(const HostsMap& map, const HostsEntry& entry) {
    auto again = parse_hosts_line(to_string(entry), 1);
    require(again && again->has_value());
    require((*again)->prefix == entry.prefix);
    require((*again)->place == entry.place);
    require((*again)->options == entry.options);
    auto match = map.find(entry.prefix.network);
    // Only ::/0 to ::/95 and the like may hold a mapped network, which is looked up as IPv4.
    if (entry.prefix.network.is_ipv4_mapped()) return;
    require(match && match->entry->prefix.length_bits >= entry.prefix.length_bits);
    require(match->entry->prefix.contains(entry.prefix.network));
    if (entry.place.kind != PlaceKind::domain || !entry.prefix.is_single_address()) return;
    auto address = map.address_of(entry.place.domain, entry.prefix.network.family);
    require(address && map.find(*address)->place.domain == entry.place.domain);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
    std::string_view text(reinterpret_cast<const char*>(data), size_bytes);
    auto map = HostsMap::parse(text);
    if (!map) {
        check_diagnostics(map.error(), text);
        return 0;
    }
    std::uint32_t previous = 0;
    for (const HostsEntry& entry : map->entries()) {
        require(entry.line > previous);
        previous = entry.line;
        check_entry(*map, entry);
    }
    return 0;
}
