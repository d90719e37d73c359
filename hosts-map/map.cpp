// HostsMap: entries in file order, one hash table from prefix to entry, and for each family the list of
// prefix lengths in use. Longest match = try those lengths, longest first: a real map uses a handful.
// The agent compiles the map into a shared table for the data path; this one answers agents and tools.
//
// Zero configuration is one entry whose domain is the low 16 bits of the address itself, so 65536
// domains cost one entry in both directions. It has no spelling in the file.
#include "hosts-map/map.hpp"

#include <algorithm>
#include <functional>

#include "hosts-map/word.hpp"

namespace xylem {

namespace {

constexpr unsigned kNumberedBits = 16;

Place resolved(const Place& place, const Address& address) {
    if (place.kind != PlaceKind::domain_of_low_16bits) return place;
    Place result = place;
    result.kind = PlaceKind::domain;
    result.domain = address.bytes[2] * 256U + address.bytes[3];
    return result;
}

void insert_length(std::vector<unsigned>& lengths_bits, unsigned length_bits) {
    auto place = std::lower_bound(lengths_bits.begin(), lengths_bits.end(), length_bits, std::greater<>());
    if (place == lengths_bits.end() || *place != length_bits) lengths_bits.insert(place, length_bits);
}

}  // namespace

Result<HostsMap, Diagnostics> HostsMap::parse(std::string_view text) {
    HostsMap map;
    Diagnostics diagnostics;
    text::LineReader lines(text);
    while (auto line = lines.next()) {
        auto entry = parse_hosts_line(line->text, line->number);
        if (!entry) {
            diagnostics.push_back(entry.error());
        } else if (entry->has_value()) {
            if (auto added = map.add(**entry); !added) diagnostics.push_back(added.error());
        }
        if (diagnostics.size() == kMaxDiagnostics) break;
    }
    if (!diagnostics.empty()) return tl::unexpected(std::move(diagnostics));
    return map;
}

HostsMap HostsMap::zero_configuration() {
    HostsEntry entry;
    entry.prefix.network.bytes = {127, 44};
    entry.prefix.length_bits = entry.prefix.network.size_bits() - kNumberedBits;
    entry.place.kind = PlaceKind::domain_of_low_16bits;
    HostsMap map;
    (void)map.add(entry);  // the first entry cannot be a duplicate
    return map;
}

std::optional<HostsMatch> HostsMap::find(const Address& address) const {
    Address wanted = address.unmapped();
    for (unsigned length_bits : wanted.family == AF_INET ? ipv4_lengths_bits_ : ipv6_lengths_bits_) {
        auto found = index_by_prefix_.find(Prefix::of(wanted, length_bits));
        if (found == index_by_prefix_.end()) continue;
        const HostsEntry& entry = entries_[found->second];
        return HostsMatch{resolved(entry.place, wanted), &entry};
    }
    return std::nullopt;
}

std::optional<Address> HostsMap::address_of(std::uint32_t domain, int family) const {
    const auto& by_domain = family == AF_INET ? ipv4_by_domain_ : ipv6_by_domain_;
    if (auto found = by_domain.find(domain); found != by_domain.end()) return found->second;
    if (family != AF_INET || !numbered_prefix_ || domain > kMaxDomain) return std::nullopt;
    Address address = numbered_prefix_->network;
    address.bytes[2] = static_cast<std::uint8_t>(domain >> 8);
    address.bytes[3] = static_cast<std::uint8_t>(domain);
    return address;
}

Result<void, Diagnostic> HostsMap::add(const HostsEntry& entry) {
    if (auto agrees = check_order(entry); !agrees) return agrees;
    auto [found, inserted] = index_by_prefix_.try_emplace(entry.prefix, entries_.size());
    if (!inserted) {
        return text::wrong_at(
            {{}, entry.line, entry.column},
            to_string(entry.prefix) + " is already on line " + std::to_string(entries_[found->second].line),
            "one line for each address or prefix");
    }
    entries_.push_back(entry);
    bool is_ipv4 = entry.prefix.network.family == AF_INET;
    insert_length(is_ipv4 ? ipv4_lengths_bits_ : ipv6_lengths_bits_, entry.prefix.length_bits);
    add_address(entry);
    return {};
}

// One link carries all that goes to a node, so its lines agree on the way.
Result<void, Diagnostic> HostsMap::check_order(const HostsEntry& entry) {
    if (entry.place.kind != PlaceKind::node) return {};
    const std::pair node{to_string(entry.place.node), entry.place.node_port};
    const HostsEntry& first = first_of_node_.try_emplace(node, entry).first->second;
    if (first.options.node_order == entry.options.node_order) return {};
    return text::wrong_at(
        {{}, entry.line, entry.column},
        "line " + std::to_string(first.line) + " has another option 'over' for node " + node.first,
        "the same one on all lines of a node, or none");
}

void HostsMap::add_address(const HostsEntry& entry) {
    const Address& address = entry.prefix.network;
    if (entry.place.kind == PlaceKind::domain_of_low_16bits) numbered_prefix_ = entry.prefix;
    if (entry.place.kind != PlaceKind::domain || !entry.prefix.is_single_address()) return;
    // try_emplace keeps what is there: the first line wins.
    (address.family == AF_INET ? ipv4_by_domain_ : ipv6_by_domain_).try_emplace(entry.place.domain, address);
}

}  // namespace xylem
