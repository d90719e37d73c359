// Target: numbers are read without the resolver, so that `explain` works where nothing is configured; only a
// word that is no address is looked up, and then its first answer counts, as for most programs.
#include "control/cli/target.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include <memory>

#include "hosts-map/word.hpp"

namespace xylem::cli {
namespace {

constexpr std::uint64_t kMaxPort = 65535;
constexpr std::uint64_t kMaxVsock = ~0U;
constexpr const char* kForms = "expected ADDRESS, ADDRESS:PORT, [IPv6]:PORT or vsock:CID[:PORT]";

struct HostAndPort {
    std::string host;
    std::string port;  // empty: none
    bool has_port = false;
};

HostAndPort split(const std::string& text) {
    if (text.starts_with("[")) {
        const std::size_t end = text.find(']');
        if (end == text.npos) return {text, "", false};
        const bool has_port = text.substr(end + 1).starts_with(":");
        if (!has_port && end + 1 != text.size()) return {text, "", false};
        return {text.substr(1, end - 1), has_port ? text.substr(end + 2) : "", has_port};
    }
    const std::size_t colon = text.find(':');
    if (colon == text.npos || text.find(':', colon + 1) != text.npos) return {text, "", false};
    return {text.substr(0, colon), text.substr(colon + 1), true};
}

SocketName name_of(const Address& address) {
    SocketName name{};
    name.family = static_cast<std::uint32_t>(address.family);
    ::memcpy(name.address, address.bytes.data(), address.bytes.size());
    return name;
}

Outcome<std::uint32_t> parse_number(const std::string& text, std::uint64_t max, const char* what) {
    auto number = text::number(text, max);
    if (!number) return misused(fmt::format("{} is no {}; {}", text::in_quotes(text), what, kForms));
    return static_cast<std::uint32_t>(*number);
}

Outcome<Target> parse_vsock(const std::string& text) {
    const std::size_t colon = text.find(':');
    auto cid = parse_number(text.substr(0, colon), kMaxVsock, "cid");
    if (!cid) return tl::unexpected(cid.error());
    Target target;
    target.name.family = AF_VSOCK;
    ::memcpy(target.name.address, &*cid, sizeof *cid);
    if (colon == text.npos) return target;
    auto port = parse_number(text.substr(colon + 1), kMaxVsock, "port");
    if (!port) return tl::unexpected(port.error());
    target.name.port = *port;
    return target;
}

Outcome<SocketName> resolve(const std::string& host) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    const int result = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
    if (result != 0) {
        return failed(kFailed, fmt::format("{}: {}", text::in_quotes(host), ::gai_strerror(result)), kForms);
    }
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, ::freeaddrinfo);
    if (list->ai_family == AF_INET) {
        return name_of(Address::from(reinterpret_cast<const sockaddr_in*>(list->ai_addr)->sin_addr));
    }
    return name_of(Address::from(reinterpret_cast<const sockaddr_in6*>(list->ai_addr)->sin6_addr));
}

}  // namespace

Outcome<Target> parse_target(const std::string& text) {
    constexpr std::string_view kVsock = "vsock:";
    if (text.starts_with(kVsock)) return parse_vsock(text.substr(kVsock.size()));
    const HostAndPort parts = split(text);
    std::uint32_t port_number = 0;
    if (parts.has_port) {
        auto port = parse_number(parts.port, kMaxPort, "port");
        if (!port) return tl::unexpected(port.error());
        port_number = *port;
    }
    Target target;
    if (auto address = Address::parse(parts.host)) {
        target.name = name_of(*address);
    } else {
        const bool is_name = !parts.host.empty() && parts.host.find_first_of(":/[] ") == parts.host.npos;
        if (!is_name) return misused(fmt::format("{} is no address; {}", text::in_quotes(text), kForms));
        auto resolved = resolve(parts.host);
        if (!resolved) return tl::unexpected(resolved.error());
        target.name = *resolved;
        target.resolved_by = parts.host;
    }
    target.name.port = port_number;
    return target;
}

std::optional<Address> address_of(const SocketName& name) {
    if (name.family != AF_INET && name.family != AF_INET6) return std::nullopt;
    Address address;
    address.family = static_cast<int>(name.family);
    ::memcpy(address.bytes.data(), name.address, name.family == AF_INET ? 4 : address.bytes.size());
    return address;
}

std::string target_text(const SocketName& name) {
    std::string host;
    if (auto address = address_of(name)) {
        host = to_string(*address);
        if (name.family == AF_INET6 && name.port != 0) host = "[" + host + "]";
    } else {
        std::uint32_t cid = 0;
        ::memcpy(&cid, name.address, sizeof cid);
        host = fmt::format("vsock:{}", cid);
    }
    return name.port != 0 ? fmt::format("{}:{}", host, name.port) : host;
}

}  // namespace xylem::cli
