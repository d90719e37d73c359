// A range of addresses: those that agree with `network` in the first `length_bits` bits.
#pragma once

#include <cstddef>
#include <string>

#include "hosts-map/address.hpp"
#include "hosts-map/word.hpp"
#include "vsock-transport/base/result.hpp"

namespace xylem {

struct Prefix {
    Address network;           // bits beyond length_bits are zero
    unsigned length_bits = 0;  // 0 to 32 or 128

    bool operator==(const Prefix&) const = default;

    // The prefix of that length that holds the address; length_bits at most address.size_bits().
    static Prefix of(const Address& address, unsigned length_bits);
    bool is_single_address() const { return length_bits == network.size_bits(); }
    bool contains(const Address& address) const;
};

struct PrefixHash {
    std::size_t operator()(const Prefix& prefix) const;
};

// ADDRESS or ADDRESS/LENGTH. Errors: no address, no such length, bits set beyond the length, and an
// IPv4-mapped IPv6 address, which look-ups treat as the IPv4 address it stands for.
Result<Prefix, Diagnostic> parse_prefix(const text::Word& word);
std::string to_string(const Prefix& prefix);

}  // namespace xylem
