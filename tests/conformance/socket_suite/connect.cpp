// Cases of connecting, accepting and what the two ends are called.
#include <netinet/tcp.h>

#include "calls.hpp"

namespace {

std::uint64_t address_number(const Name& name) {
    return reinterpret_cast<const sockaddr_in*>(&name.storage)->sin_addr.s_addr;
}

Name peer_name(int fd) {
    Name name;
    getpeername(fd, name.get(), &name.length);
    return name;
}

void both_ends_agree_on_the_names(Side& side) {
    const int fd = side.connection();
    const Name local = local_name(fd);
    const Name peer = peer_name(fd);
    side.line("families %d %d, lengths %u %u", local.storage.ss_family, peer.storage.ss_family, local.length,
              peer.length);
    side.line("server's address %s", (side.server ? local : peer).text().c_str());
    side.line("my port is what the peer says: %d", side.exchange(local.port()) == peer.port());
    side.line("the peer's port is what it says: %d", side.exchange(peer.port()) == local.port());
    side.line("my address is what the peer says: %d",
              side.exchange(address_number(local)) == address_number(peer));
    side.line("ports are given: %d", local.port() != 0 && peer.port() != 0);
}

void a_client_that_binds_keeps_its_name(Side& side) {
    if (side.server) {
        const Listening listener = side.offered();
        Name peer;
        side.accepted(listener, &peer);
        side.line("client is %s, length %u, its port is right: %d", peer.text().c_str(), peer.length,
                  side.exchange(0) == peer.port());
        return;
    }
    Name server = name_of(side.address, side.exchange(0));
    Name own = name_of("127.44.0.2", 0);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    side.result("bind", bind(fd, own.get(), own.length));
    const std::uint16_t port = local_name(fd).port();
    side.result("connect", connect(fd, server.get(), server.length));
    side.note_transport(fd);
    side.line("name %s, port kept: %d", local_name(fd).text().c_str(), local_name(fd).port() == port);
    side.result("bind again", bind(fd, own.get(), own.length));
    side.exchange(port);
}

void a_wildcard_listener_is_reached(Side& side) {
    if (side.server) {
        const Listening listener = side.offered(16, "0.0.0.0");
        const int fd = side.accepted(listener);
        side.line("own name %s, listener's port: %d", local_name(fd).text().c_str(),
                  local_name(fd).port() == listener.port);
        receive_bytes(side, fd, 100);
        return;
    }
    const int fd = side.connect_to(side.exchange(0));
    send_bytes(side, fd, 10);
}

void connecting_twice_says_so(Side& side) {
    const int fd = side.connection();
    Name name = peer_name(fd);
    side.result("connect again", connect(fd, name.get(), name.length));
    side.result("listen on a connection", listen(fd, 4));
    side.result("accept on a connection", accept(fd, nullptr, nullptr));
    side.result("bind a connection", bind(fd, name.get(), name.length));
    side.meet();
}

void a_nonblocking_connect_becomes_writable(Side& side) {
    if (side.server) {
        const Listening listener = side.offered();
        const int fd = side.accepted(listener);
        receive_bytes(side, fd, 10);
        side.meet();
        return;
    }
    Name name = name_of(side.address, side.exchange(0));
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    side.result("connect", connect(fd, name.get(), name.length));
    side.line("writable: %d", await(fd, POLLOUT));
    show_masks(side, fd, "connected");
    show_socket_error(side, fd);
    side.result("connect again", connect(fd, name.get(), name.length));
    side.result("and again", connect(fd, name.get(), name.length));
    side.note_transport(fd);
    send_bytes(side, fd, 10);
    side.meet();
}

// Below those that the kernel gives to callers: one of them could be a caller's by the time it is called.
std::uint64_t free_port(Side& side) {
    for (std::uint64_t port = 20'000 + static_cast<std::uint64_t>(getpid()) % 10'000;; ++port) {
        Name name = name_of(side.address, port);
        const int probe = socket(AF_INET, SOCK_STREAM, 0);
        const bool is_free = bind(probe, name.get(), name.length) == 0;
        close(probe);
        if (is_free) return port;
    }
}

void nobody_listening_refuses(Side& side) {
    if (side.server) {
        side.exchange(free_port(side));
        side.meet();
        return;
    }
    Name name = name_of(side.address, side.exchange(0));
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    side.result("connect", connect(fd, name.get(), name.length));
    show_masks(side, fd, "refused");
    show_socket_error(side, fd);
    receive_bytes(side, fd, 10);
    send_bytes(side, fd, 10);
    side.result("connect again", connect(fd, name.get(), name.length));
    const int other = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    side.result("non-blocking connect", connect(other, name.get(), name.length));
    side.line("failed: %d", await(other, POLLERR));
    show_masks(side, other, "refused");
    show_socket_error(side, other);
    show_socket_error(side, other);
    side.meet();
}

void a_refused_socket_connects_later(Side& side) {
    if (side.server) {
        const std::uint64_t port = free_port(side);
        side.exchange(port);
        side.meet();
        Name name = name_of(side.address, port);
        const int listener = socket(AF_INET, SOCK_STREAM, 0);
        const int one = 1;
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        side.must("bind", bind(listener, name.get(), name.length));
        side.must("listen", listen(listener, 4));
        side.meet();
        const int fd = side.must("accept", accept(listener, nullptr, nullptr));
        receive_bytes(side, fd, 10);
        return;
    }
    Name name = name_of(side.address, side.exchange(0));
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    side.result("connect", connect(fd, name.get(), name.length));
    side.meet();
    side.meet();
    side.result("connect again", connect(fd, name.get(), name.length));
    send_bytes(side, fd, 10);
}

void a_fresh_socket_is_not_connected(Side& side) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    show_masks(side, fd, "fresh");
    receive_bytes(side, fd, 10);
    send_bytes(side, fd, 10);
    side.result("shutdown", shutdown(fd, SHUT_RDWR));
    Name name;
    side.result("getpeername", getpeername(fd, name.get(), &name.length));
    side.line("own name %s port %d", local_name(fd).text().c_str(), local_name(fd).port());
    side.result("accept", accept(fd, nullptr, nullptr));
    side.result("connect to nowhere", connect(fd, name.get(), 2));
}

void disconnecting_resets_and_allows_another_connect(Side& side) {
    if (side.server) {
        const Listening listener = side.offered();
        const int fd = side.accepted(listener);
        side.meet();
        side.line("ended: %d", await(fd, POLLHUP));
        show_masks(side, fd, "peer disconnected");
        receive_bytes(side, fd, 10);
        const int again = side.must("accept", accept(listener.fd, nullptr, nullptr));
        receive_bytes(side, again, 10);
        return;
    }
    const std::uint64_t port = side.exchange(0);
    const int fd = side.connect_to(port);
    side.meet();
    sockaddr none{};
    none.sa_family = AF_UNSPEC;
    side.result("connect to AF_UNSPEC", connect(fd, &none, sizeof none));
    Name name = name_of(side.address, port);
    Name peer;
    side.result("getpeername", getpeername(fd, peer.get(), &peer.length));
    side.result("connect", connect(fd, name.get(), name.length));
    send_bytes(side, fd, 10);
}

// Made past libc, so that no library knows of it: whoever connects there is on TCP.
Listening kernel_listening(Side& side) {
    Name name = name_of(side.address, 0);
    const int fd = side.must(
        "socket", static_cast<int>(syscall(SYS_socket, name.storage.ss_family, SOCK_STREAM, IPPROTO_TCP)));
    side.must("bind", static_cast<int>(syscall(SYS_bind, fd, name.get(), name.length)));
    side.must("listen", static_cast<int>(syscall(SYS_listen, fd, 4)));
    return {fd, local_name(fd).port()};
}

void a_disconnected_tcp_socket_may_find_a_ring(Side& side) {
    if (side.server) {
        const Listening over_tcp = kernel_listening(side);
        const Listening listener = side.listening();
        side.exchange(over_tcp.port);
        side.exchange(listener.port);
        const int first = side.must("accept", accept(over_tcp.fd, nullptr, nullptr));
        receive_bytes(side, first, 10);
        const int second = side.accepted(listener);
        receive_bytes(side, second, 10);
        receive_bytes(side, second, 10);
        return;
    }
    Name over_tcp = name_of(side.address, side.exchange(0));
    Name name = name_of(side.address, side.exchange(0));
    const int fd = side.must("socket", socket(name.storage.ss_family, SOCK_STREAM, 0));
    side.result("connect", connect(fd, over_tcp.get(), over_tcp.length));
    send_bytes(side, fd, 10);
    sockaddr none{};
    none.sa_family = AF_UNSPEC;
    side.result("connect to AF_UNSPEC", connect(fd, &none, sizeof none));
    side.result("and again", connect(fd, &none, sizeof none));
    Name peer;
    side.result("getpeername", getpeername(fd, peer.get(), &peer.length));
    side.result("connect", connect(fd, name.get(), name.length));
    side.note_transport(fd);
    send_bytes(side, fd, 10);
    side.line("peer's port is the listener's: %d", peer_name(fd).port() == name.port());
    close(fd);
}

void options_are_what_they_were(Side& side) {
    const int fd = side.connection();
    const int one = 1;
    side.result("set TCP_NODELAY", setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one));
    side.result("set SO_KEEPALIVE", setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one));
    side.result("set nonsense", setsockopt(fd, SOL_SOCKET, 9999, &one, sizeof one));
    side.line("TCP_NODELAY %d SO_KEEPALIVE %d", option(fd, IPPROTO_TCP, TCP_NODELAY) != 0,
              option(fd, SOL_SOCKET, SO_KEEPALIVE));
    side.line("SO_TYPE %d SO_DOMAIN %d SO_PROTOCOL %d SO_ACCEPTCONN %d SO_ERROR %d",
              option(fd, SOL_SOCKET, SO_TYPE), option(fd, SOL_SOCKET, SO_DOMAIN),
              option(fd, SOL_SOCKET, SO_PROTOCOL), option(fd, SOL_SOCKET, SO_ACCEPTCONN),
              option(fd, SOL_SOCKET, SO_ERROR));
    unsigned char state = 0xFF;
    socklen_t length = 1;
    side.result("get TCP_INFO", getsockopt(fd, IPPROTO_TCP, TCP_INFO, &state, &length));
    side.line("state %d", state);
    side.meet();
}

constexpr Case kCases[] = {
    {"both_ends_agree_on_the_names", both_ends_agree_on_the_names},
    {"a_client_that_binds_keeps_its_name", a_client_that_binds_keeps_its_name, true},
    {"a_wildcard_listener_is_reached", a_wildcard_listener_is_reached},
    {"connecting_twice_says_so", connecting_twice_says_so},
    {"a_nonblocking_connect_becomes_writable", a_nonblocking_connect_becomes_writable},
    {"nobody_listening_refuses", nobody_listening_refuses},
    {"a_refused_socket_connects_later", a_refused_socket_connects_later},
    {"a_fresh_socket_is_not_connected", a_fresh_socket_is_not_connected},
    {"disconnecting_resets_and_allows_another_connect", disconnecting_resets_and_allows_another_connect},
    {"a_disconnected_tcp_socket_may_find_a_ring", a_disconnected_tcp_socket_may_find_a_ring},
    {"options_are_what_they_were", options_are_what_they_were},
};

}  // namespace

int main(int argc, char** argv) { return run_cases(kCases, argc, argv); }
