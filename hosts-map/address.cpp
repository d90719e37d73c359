// Address: text to bytes and back by libc's inet_pton and inet_ntop, so that the hosts map takes and
// prints exactly what every other program on the machine does. Pure functions, no state, no threads.
#include "hosts-map/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace xylem {

namespace {

constexpr std::array<std::uint8_t, 12> kMappedHead{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

Address Address::from(const in_addr& ipv4) {
    Address address;
    std::memcpy(address.bytes.data(), &ipv4, sizeof ipv4);
    return address;
}

Address Address::from(const in6_addr& ipv6) {
    Address address;
    address.family = AF_INET6;
    std::memcpy(address.bytes.data(), &ipv6, sizeof ipv6);
    return address;
}

std::optional<Address> Address::parse(std::string_view text) {
    char terminated[INET6_ADDRSTRLEN] = {};
    if (text.size() >= sizeof terminated || text.find('\0') != text.npos) return std::nullopt;
    std::copy(text.begin(), text.end(), terminated);
    Address address;
    address.family = text.find(':') == text.npos ? AF_INET : AF_INET6;
    if (::inet_pton(address.family, terminated, address.bytes.data()) != 1) return std::nullopt;
    return address;
}

bool Address::is_ipv4_mapped() const {
    return family == AF_INET6 && std::equal(kMappedHead.begin(), kMappedHead.end(), bytes.begin());
}

Address Address::unmapped() const {
    if (!is_ipv4_mapped()) return *this;
    Address ipv4;
    std::copy(bytes.begin() + kMappedHead.size(), bytes.end(), ipv4.bytes.begin());
    return ipv4;
}

std::string to_string(const Address& address) {
    char text[INET6_ADDRSTRLEN] = {};
    ::inet_ntop(address.family, address.bytes.data(), text, sizeof text);
    return text;
}

}  // namespace xylem
