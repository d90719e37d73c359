// The hosts map: which address is which domain on which node. Immutable once built, so any number of
// threads may read one; a changed file makes a new map (reload.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "hosts-map/address.hpp"
#include "hosts-map/diagnostic.hpp"
#include "hosts-map/line.hpp"
#include "vsock-transport/base/result.hpp"

namespace xylem {

// What the map says about one address.
struct HostsMatch {
    Place place;              // kind tcp, domain or node
    const HostsEntry* entry;  // the line that decided; lives as long as the map
};

class HostsMap {
  public:
    HostsMap() = default;  // maps nothing

    // The whole text of a hosts file. Errors: one per bad line, in order, at most kMaxDiagnostics.
    static Result<HostsMap, Diagnostics> parse(std::string_view text);
    // With no hosts file at all: 127.44.H.L is domain 256*H+L of this machine.
    static HostsMap zero_configuration();

    // The line with the longest prefix that holds the address, if any. An IPv4-mapped IPv6 address is
    // looked up as the IPv4 address it stands for. Costs one hash look-up a prefix length in use.
    std::optional<HostsMatch> find(const Address& address) const;

    // The address of a domain of this machine, as accept() and getpeername() report it: that of the first
    // line of that family (AF_INET, AF_INET6) that says dom:N, without a node, of a single address.
    std::optional<Address> address_of(std::uint32_t domain, int family) const;

    // In the file's order.
    std::span<const HostsEntry> entries() const { return entries_; }

  private:
    Result<void, Diagnostic> add(const HostsEntry& entry);
    Result<void, Diagnostic> check_order(const HostsEntry& entry);
    void add_address(const HostsEntry& entry);

    std::vector<HostsEntry> entries_;
    std::unordered_map<Prefix, std::size_t, PrefixHash> index_by_prefix_;
    std::vector<unsigned> ipv4_lengths_bits_, ipv6_lengths_bits_;  // in use, longest first
    std::unordered_map<std::uint32_t, Address> ipv4_by_domain_, ipv6_by_domain_;
    std::map<std::pair<std::string, std::uint16_t>, HostsEntry> first_of_node_;  // by address and port
    std::optional<Prefix> numbered_prefix_;  // whose addresses carry the domain in their low 16 bits
};

}  // namespace xylem
