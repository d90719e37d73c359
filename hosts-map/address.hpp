// An IPv4 or IPv6 address by value, without port or scope. Bytes are in network order.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace xylem {

struct Address {
    int family = AF_INET;                  // AF_INET or AF_INET6
    std::array<std::uint8_t, 16> bytes{};  // AF_INET uses the first 4; the rest stay zero, so == holds

    bool operator==(const Address&) const = default;

    static Address from(const in_addr& ipv4);
    static Address from(const in6_addr& ipv6);
    // What inet_pton takes, nothing else (no scope, no port, no leading zeros in IPv4).
    static std::optional<Address> parse(std::string_view text);

    unsigned size_bits() const { return family == AF_INET ? 32 : 128; }
    // ::ffff:a.b.c.d (RFC 4291, 2.5.5.2): what an IPv6 socket calls an IPv4 peer.
    bool is_ipv4_mapped() const;
    // a.b.c.d for ::ffff:a.b.c.d, and any other address unchanged.
    Address unmapped() const;
};

std::string to_string(const Address& address);

}  // namespace xylem
