// The path of a unix socket that nobody serves any more is taken over; anything else that stands there is
// left alone. Who may connect is for the folder of the path to say, or for the address.
#include "control/agent/metrics/metrics_address.hpp"

#include <arpa/inet.h>
#include <errno.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/agent/size_text.hpp"
#include "control/protocol/unix_address.hpp"

namespace xylem::agent {
namespace {

constexpr int kScrapeBacklog = 16;
constexpr mode_t kSocketMask = 0111;  // leaves 0666, whatever mask the agent was given

template <class Address>
MetricsAddress wrapped(const Address& address) {
    MetricsAddress result;
    static_assert(sizeof address <= sizeof result.bytes);
    ::memcpy(&result.bytes, &address, sizeof address);
    result.size_bytes = sizeof address;
    return result;
}

const sockaddr* as_sockaddr(const sockaddr_storage& bytes) {
    return reinterpret_cast<const sockaddr*>(&bytes);
}

std::optional<in_port_t> parse_port(std::string_view text) {
    const bool is_number = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
    const auto port = is_number ? parse_size(text) : std::nullopt;
    if (!port || *port > 65535) return std::nullopt;
    return htons(static_cast<in_port_t>(*port));
}

void remove_stale(const MetricsAddress& address) {
    struct stat status {};
    if (::lstat(address.path().c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return;
    const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const bool is_refused = probe &&
                            ::connect(probe.get(), as_sockaddr(address.bytes), address.size_bytes) != 0 &&
                            errno == ECONNREFUSED;
    if (is_refused) ::unlink(address.path().c_str());
}

}  // namespace

std::string MetricsAddress::path() const {
    if (bytes.ss_family != AF_UNIX) return {};
    return reinterpret_cast<const sockaddr_un*>(&bytes)->sun_path;
}

std::optional<MetricsAddress> parse_metrics_address(const std::string& text) {
    if (text.starts_with('/')) {
        const auto path = unix_address(text.c_str());
        return path ? std::optional(wrapped(*path)) : std::nullopt;
    }
    const std::size_t colon = text.rfind(':');
    if (colon == text.npos) return std::nullopt;
    const auto port = parse_port(std::string_view(text).substr(colon + 1));
    if (!port) return std::nullopt;
    std::string host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) {
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        v6.sin6_port = *port;
        host = host.substr(1, host.size() - 2);
        if (::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) != 1) return std::nullopt;
        return wrapped(v6);
    }
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = *port;
    if (host.empty()) host = "127.0.0.1";
    if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) != 1) return std::nullopt;
    return wrapped(v4);
}

MetricsSocket::MetricsSocket(const MetricsAddress& address, std::string& error) {
    const int yes = 1;
    if (!address.path().empty()) remove_stale(address);
    UniqueFd fd(::socket(address.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const mode_t old_mask = ::umask(kSocketMask);
    const bool is_bound = fd && ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
                          ::bind(fd.get(), as_sockaddr(address.bytes), address.size_bytes) == 0;
    ::umask(old_mask);
    if (is_bound) path_ = address.path();
    if (!is_bound || ::listen(fd.get(), kScrapeBacklog) != 0) {
        error = ::strerrordesc_np(errno);
        return;
    }
    fd_ = std::move(fd);
}

MetricsSocket::~MetricsSocket() {
    if (!path_.empty()) ::unlink(path_.c_str());
}

std::string MetricsSocket::text() const {
    if (!path_.empty()) return path_;
    sockaddr_storage bound{};
    socklen_t size_bytes = sizeof bound;
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&bound), &size_bytes);
    char host[INET6_ADDRSTRLEN] = "?";
    if (bound.ss_family == AF_INET6) {
        const auto& v6 = *reinterpret_cast<const sockaddr_in6*>(&bound);
        ::inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof host);
        return fmt::format("http://[{}]:{}/metrics", host, ntohs(v6.sin6_port));
    }
    const auto& v4 = *reinterpret_cast<const sockaddr_in*>(&bound);
    ::inet_ntop(AF_INET, &v4.sin_addr, host, sizeof host);
    return fmt::format("http://{}:{}/metrics", host, ntohs(v4.sin_port));
}

}  // namespace xylem::agent
