// Prefix: address ranges and their parser. A range is kept only in its one canonical form (host bits
// zero, IPv4 never spelled as IPv6), so equal ranges compare equal and duplicates cannot hide.
#include "hosts-map/prefix.hpp"

#include <algorithm>
#include <functional>
#include <string_view>

namespace xylem {

namespace {

constexpr unsigned kMappedBits = 96;  // ::ffff:0:0/96, RFC 4291

Result<unsigned, Diagnostic> parse_length(const text::Word& length, const Address& address) {
    if (auto bits = text::number(length.text, address.size_bits())) return static_cast<unsigned>(*bits);
    return text::wrong_at(
        length, text::in_quotes(length.text) + " is not a prefix length",
        "a number from 0 to " + std::to_string(address.size_bits()) + " after " + to_string(address) + "/");
}

}  // namespace

Prefix Prefix::of(const Address& address, unsigned length_bits) {
    Prefix prefix{address, length_bits};
    for (unsigned i = 0; i < prefix.network.bytes.size(); ++i) {
        unsigned kept_bits = length_bits <= i * 8 ? 0 : std::min(8U, length_bits - i * 8);
        prefix.network.bytes[i] &= static_cast<std::uint8_t>(0xff00U >> kept_bits);
    }
    return prefix;
}

bool Prefix::contains(const Address& address) const {
    return address.family == network.family && of(address, length_bits).network == network;
}

std::size_t PrefixHash::operator()(const Prefix& prefix) const {
    std::string_view bytes(reinterpret_cast<const char*>(prefix.network.bytes.data()),
                           prefix.network.size_bits() / 8);
    return std::hash<std::string_view>{}(bytes)*257 + prefix.length_bits;
}

Result<Prefix, Diagnostic> parse_prefix(const text::Word& word) {
    std::size_t slash = word.text.find('/');
    text::Word address_word = word.before(slash);
    auto address = Address::parse(address_word.text);
    if (!address) {
        return text::wrong_at(word, text::in_quotes(address_word.text) + " is not an address",
                              "an IPv4 or IPv6 address or prefix");
    }
    unsigned length_bits = address->size_bits();
    if (slash != word.text.npos) {
        auto length = parse_length(word.from(slash + 1), *address);
        if (!length) return tl::unexpected(length.error());
        length_bits = *length;
    }
    Prefix prefix = Prefix::of(*address, length_bits);
    if (prefix.network != *address) {
        return text::wrong_at(
            word,
            text::in_quotes(word.text) + " has bits set beyond the first " + std::to_string(length_bits),
            to_string(prefix));
    }
    if (address->is_ipv4_mapped() && length_bits >= kMappedBits) {
        Prefix ipv4 = Prefix::of(address->unmapped(), length_bits - kMappedBits);
        return text::wrong_at(word, text::in_quotes(word.text) + " is IPv4 written as IPv6", to_string(ipv4));
    }
    return prefix;
}

std::string to_string(const Prefix& prefix) {
    std::string address = to_string(prefix.network);
    return prefix.is_single_address() ? address : address + "/" + std::to_string(prefix.length_bits);
}

}  // namespace xylem
