// Place: the second word of a hosts map line. The word is cut at the marks that cannot occur inside its
// parts ('/', brackets, ':'), and each part is checked on its own, so an error points at the part.
#include "hosts-map/place.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace xylem {

namespace {

constexpr std::string_view kDomain = "dom:";
constexpr std::string_view kNode = "node:";
constexpr std::string_view kGuest = "vm:";
constexpr std::string_view kTcp = "tcp";
constexpr std::uint64_t kUsualPort = 7480;  // rdma-bridge/node_protocol.h; the same node with or without it
constexpr std::string_view kNodeForm = "node:ADDRESS[:PORT]/dom:N";

Result<void, Diagnostic> parse_node_port(const text::Word& word, Place& place) {
    auto port = text::number(word.text, 65535);
    if (!port || *port == 0) {
        return text::wrong_at(word, text::in_quotes(word.text) + " is not a port",
                              "a number from 1 to 65535");
    }
    place.node_port = static_cast<std::uint16_t>(*port == kUsualPort ? 0 : *port);
    return {};
}

Result<void, Diagnostic> parse_ipv6_node(const text::Word& word, Place& place) {
    std::size_t close = word.text.find(']');
    if (close == word.text.npos) {
        return text::wrong_at(word.end(), "the bracket before the node's address is not closed", "]");
    }
    text::Word inside = word.before(close).from(1);
    auto address = Address::parse(inside.text);
    if (!address || address->family != AF_INET6) {
        return text::wrong_at(inside, text::in_quotes(inside.text) + " is not an IPv6 address",
                              "an IPv6 address between the brackets");
    }
    place.node = *address;
    text::Word rest = word.from(close + 1);
    if (rest.text.empty()) return {};
    if (!rest.text.starts_with(':')) {
        return text::wrong_at(rest, text::in_quotes(rest.text) + " after the node's address",
                              ":PORT or /dom:N");
    }
    return parse_node_port(rest.from(1), place);
}

Result<void, Diagnostic> parse_ipv4_node(const text::Word& word, Place& place) {
    if (auto bare = Address::parse(word.text); bare && bare->family == AF_INET6) {
        return text::wrong_at(word, "IPv6 address of a node without brackets",
                              "node:[" + std::string(word.text) + "]/dom:N");
    }
    std::size_t colon = word.text.find(':');
    text::Word address_word = word.before(colon);
    auto address = Address::parse(address_word.text);
    if (!address) {
        return text::wrong_at(word, text::in_quotes(address_word.text) + " is not the address of a node",
                              "an IPv4 address, or an IPv6 address in brackets");
    }
    place.node = *address;
    if (colon == word.text.npos) return {};
    return parse_node_port(word.from(colon + 1), place);
}

// What follows "node:".
Result<Place, Diagnostic> parse_domain_of_node(const text::Word& word) {
    std::size_t slash = word.text.find('/');
    if (slash == word.text.npos) {
        return text::wrong_at(word.end(), "the node has no domain", std::string(kNodeForm));
    }
    auto place = parse_node(word.before(slash));
    if (!place) return place;
    auto domain = parse_domain(word.from(slash + 1));
    if (!domain) return tl::unexpected(domain.error());
    place->domain = *domain;
    return place;
}

// As uuid_unparse() writes them: 8-4-4-4-12 hexadecimal digits.
bool is_uuid(std::string_view text) {
    constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    return text.size() == kForm.size() &&
           std::equal(text.begin(), text.end(), kForm.begin(), [](unsigned char is, char wanted) {
               return wanted == '-' ? is == '-' : std::isxdigit(is) != 0;
           });
}

// What follows "vm:". libxl takes any name; one with a blank cannot be a word of the map.
Result<Place, Diagnostic> parse_guest(const text::Word& word) {
    const bool is_name = !word.text.empty() && word.text.size() <= kMaxGuestNameBytes &&
                         std::all_of(word.text.begin(), word.text.end(),
                                     [](unsigned char c) { return std::isgraph(c) != 0 && c != '/'; });
    if (!is_name) {
        return text::wrong_at(word, text::in_quotes(word.text) + " is not the name of a guest",
                              "a guest's name as xl list has it, or its UUID");
    }
    Place place;
    place.kind = PlaceKind::guest;
    place.guest = word.text;
    if (is_uuid(word.text)) {
        for (char& c : place.guest) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return place;
}

}  // namespace

Result<std::uint32_t, Diagnostic> parse_domain(const text::Word& word) {
    std::string expected = "dom:N with N from 0 to " + std::to_string(kMaxDomain);
    if (!word.text.starts_with(kDomain)) {
        return text::wrong_at(word, text::in_quotes(word.text) + " is not a domain", expected);
    }
    text::Word number = word.from(kDomain.size());
    if (auto domain = text::number(number.text, kMaxDomain)) return static_cast<std::uint32_t>(*domain);
    return text::wrong_at(number, text::in_quotes(number.text) + " is not a domain's number", expected);
}

Result<Place, Diagnostic> parse_node(const text::Word& word) {
    Place place;
    place.kind = PlaceKind::node;
    auto parsed = word.text.starts_with('[') ? parse_ipv6_node(word, place) : parse_ipv4_node(word, place);
    if (!parsed) return tl::unexpected(parsed.error());
    return place;
}

std::string node_name(const Place& place) {
    const std::string address = to_string(place.node);
    if (place.node_port == 0) return address;
    const std::string port = ":" + std::to_string(place.node_port);
    return place.node.family == AF_INET6 ? "[" + address + "]" + port : address + port;
}

Result<Place, Diagnostic> parse_place(const text::Word& word) {
    if (word.text == kTcp) return Place{};
    if (word.text.starts_with(kNode)) return parse_domain_of_node(word.from(kNode.size()));
    if (word.text.starts_with(kGuest)) return parse_guest(word.from(kGuest.size()));
    if (!word.text.starts_with(kDomain)) {
        return text::wrong_at(word, text::in_quotes(word.text) + " is not a place",
                              "dom:N, vm:NAME, " + std::string(kNodeForm) + " or tcp");
    }
    auto domain = parse_domain(word);
    if (!domain) return tl::unexpected(domain.error());
    Place place;
    place.kind = PlaceKind::domain;
    place.domain = *domain;
    return place;
}

std::string to_string(const Place& place) {
    std::string domain = std::string(kDomain) + std::to_string(place.domain);
    if (place.kind == PlaceKind::tcp) return std::string(kTcp);
    if (place.kind == PlaceKind::domain) return domain;
    if (place.kind == PlaceKind::guest) return std::string(kGuest) + place.guest;
    if (place.kind == PlaceKind::domain_of_low_16bits) return "dom:(256*H+L of ...H.L)";
    std::string address = to_string(place.node);
    if (place.node.family == AF_INET6) address = "[" + address + "]";
    if (place.node_port != 0) address += ":" + std::to_string(place.node_port);
    return std::string(kNode) + address + "/" + domain;
}

}  // namespace xylem
