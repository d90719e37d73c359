// Where a line of the hosts map says its addresses are.
#pragma once

#include <cstdint>
#include <string>

#include "hosts-map/address.hpp"
#include "hosts-map/word.hpp"
#include "vsock-transport/base/result.hpp"

namespace xylem {

// Xen gives real domains ids below DOMID_FIRST_RESERVED (0x7ff0, xen/include/public/xen.h), but the
// zero-configuration map numbers the domains of one Linux machine 256*H+L, up to 256*255+255.
constexpr std::uint32_t kMaxDomain = 65535;
constexpr std::size_t kMaxGuestNameBytes = 127;

enum class PlaceKind : std::uint8_t {
    tcp,                  // never accelerate
    domain,               // a domain of this machine
    node,                 // a domain of another machine
    guest,                // a Xen guest of this machine, by its name or UUID: whatever domain it is by now
    domain_of_low_16bits  // a domain of this machine: the address's last 16 bits. Zero configuration only;
                          // no line can say it, and HostsMap::find() turns it into `domain`
};

struct Place {
    PlaceKind kind = PlaceKind::tcp;
    std::uint32_t domain = 0;     // of domain and node: 0 to kMaxDomain
    Address node;                 // of node: where its bridge listens
    std::uint16_t node_port = 0;  // of node: 0 = the bridge's usual port
    std::string guest;            // of guest: a name, or a UUID in lower case

    bool operator==(const Place&) const = default;
};

// dom:N, vm:NAME, vm:UUID, node:ADDRESS[:PORT]/dom:N (an IPv6 ADDRESS in brackets) or tcp.
Result<Place, Diagnostic> parse_place(const text::Word& word);
// dom:N alone, and ADDRESS[:PORT] of a node, whose domain is 0 then. Shared with the policy's grammar.
Result<std::uint32_t, Diagnostic> parse_domain(const text::Word& word);
Result<Place, Diagnostic> parse_node(const text::Word& word);
// The node's address, and its port where it is not the usual one: "192.168.7.2", "[fd00::2]:7000", "fd00::2".
std::string node_name(const Place& place);
std::string to_string(const Place& place);

}  // namespace xylem
