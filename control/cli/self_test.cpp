// `xylem self-test`: the two programs that `xylem doctor` runs under the guest library. They are plain socket
// programs: nothing here knows of rings but the last question to the agent, which transport it was.
#include <arpa/inet.h>
#include <errno.h>
#include <fmt/format.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "control/cli/agent_client.hpp"
#include "control/cli/domains.hpp"
#include "control/cli/json_field.hpp"
#include "control/cli/verb.hpp"
#include "hosts-map/word.hpp"

namespace xylem::cli {
namespace {

constexpr std::size_t kTotalBytes = 4U << 20;  // several times round a default ring
constexpr std::size_t kChunkBytes = 32U << 10;

class Socket {
  public:
    explicit Socket(int fd) : fd_(fd) {}
    ~Socket() { ::close(fd_); }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    int get() const { return fd_; }

  private:
    int fd_;
};

tl::unexpected<Failure> errno_failure(const char* what) {
    return failed(kFailed, fmt::format("{}: {}", what, ::strerror(errno)));
}

sockaddr_in address_of_words(const std::string& host, std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);
    return address;
}

char pattern_at(std::size_t position) { return static_cast<char>(position * 31 + position / kChunkBytes); }

bool write_all(int fd, const char* bytes, std::size_t size) {
    while (size > 0) {
        const ssize_t sent = ::send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes += sent;
        size -= static_cast<std::size_t>(sent);
    }
    return true;
}

Outcome<int> listen_and_echo(const std::string& host) {
    const Socket listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = address_of_words(host, 0);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener.get(), generic, size) != 0 || ::listen(listener.get(), 1) != 0 ||
        ::getsockname(listener.get(), generic, &size) != 0) {
        return errno_failure("listen");
    }
    fmt::print("{}\n", ntohs(address.sin_port));
    ::fflush(stdout);
    const Socket peer(::accept(listener.get(), nullptr, nullptr));
    if (peer.get() < 0) return errno_failure("accept");
    char chunk[kChunkBytes];
    ssize_t got = 0;
    while ((got = ::recv(peer.get(), chunk, sizeof chunk, 0)) > 0) {
        if (!write_all(peer.get(), chunk, static_cast<std::size_t>(got))) return errno_failure("send");
    }
    return got == 0 ? Outcome<int>(kOk) : errno_failure("receive");
}

Outcome<void> talk(int fd) {
    char chunk[kChunkBytes];
    for (std::size_t done = 0; done < kTotalBytes; done += sizeof chunk) {
        for (std::size_t i = 0; i < sizeof chunk; ++i) chunk[i] = pattern_at(done + i);
        if (!write_all(fd, chunk, sizeof chunk)) return errno_failure("send");
        if (::recv(fd, chunk, sizeof chunk, MSG_WAITALL) != static_cast<ssize_t>(sizeof chunk)) {
            return errno_failure("receive");
        }
        for (std::size_t i = 0; i < sizeof chunk; ++i) {
            if (chunk[i] != pattern_at(done + i))
                return failed(kFailed, "received other bytes than were sent");
        }
    }
    return {};
}

// "ring", or why not.
Outcome<std::string> transport_of_own_connection() {
    auto domain = default_domain();
    if (!domain) return tl::unexpected(domain.error());
    auto sockets = ask_agent(*domain, QueryKind::sockets);
    if (!sockets) return tl::unexpected(sockets.error());
    for (const Json& socket : member(*sockets, "sockets")) {
        const bool is_own = number_at(socket, "pid") == static_cast<std::uint64_t>(::getpid());
        if (!is_own || text_at(socket, "kind") != "connection") continue;
        return text_at(socket, "transport") == "ring" ? "ring" : text_at(socket, "reason_text", "?");
    }
    return std::string("the agent knows nothing of the connection");
}

Outcome<int> connect_and_talk(const std::string& host, const std::string& port_text) {
    auto port = text::number(port_text, UINT16_MAX);
    if (!port) return misused("self-test: no such port");
    const Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = address_of_words(host, static_cast<std::uint16_t>(*port));
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return errno_failure("connect");
    }
    if (auto talked = talk(socket.get()); !talked) return tl::unexpected(talked.error());
    auto transport = transport_of_own_connection();
    if (!transport) return tl::unexpected(transport.error());
    fmt::print("{}\n", *transport);
    return kOk;
}

Outcome<int> run_self_test(const Arguments& arguments) {
    const auto& words = arguments.rest();
    if (words.size() == 2 && words[0] == "listen") return listen_and_echo(words[1]);
    if (words.size() == 3 && words[0] == "connect") return connect_and_talk(words[1], words[2]);
    return misused("self-test: for xylem doctor only");
}

}  // namespace

const Verb kSelfTestVerb{
    "self-test",
    "the two ends of the doctor's connection",
    "self-test listen ADDRESS\nself-test connect ADDRESS PORT",
    "",
    "",
    [] { return boost::program_options::options_description(); },
    run_self_test,
    3,
    false,
    true,
};

}  // namespace xylem::cli
