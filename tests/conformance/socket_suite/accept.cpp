// Cases of listeners: queues, flags of accepted sockets, both address families.
#include "calls.hpp"

namespace {

void show_flags(Side& side, const char* what, int fd) {
    side.line("%s: O_NONBLOCK %d, FD_CLOEXEC %d", what, (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0,
              (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
}

void accept4_sets_flags(Side& side) {
    constexpr int kFlags[] = {0, SOCK_NONBLOCK, SOCK_CLOEXEC, SOCK_NONBLOCK | SOCK_CLOEXEC};
    if (!side.server) {
        const std::uint64_t port = side.exchange(0);
        for (int flags : kFlags) show_flags(side, "connected", side.connect_to(port, flags & SOCK_CLOEXEC));
        side.meet();
        return;
    }
    const Listening listener = side.offered();
    side.result("accept4 with nonsense", accept4(listener.fd, nullptr, nullptr, 1));
    for (int flags : kFlags) {
        const int fd = side.must("accept4", accept4(listener.fd, nullptr, nullptr, flags));
        side.note_transport(fd);
        show_flags(side, "accepted", fd);
    }
    show_flags(side, "listener", listener.fd);
    side.meet();
}

void a_nonblocking_listener_says_eagain(Side& side) {
    if (!side.server) {
        const std::uint64_t port = side.exchange(0);
        side.meet();
        const int fd = side.connect_to(port);
        send_bytes(side, fd, 4);
        side.meet();
        return;
    }
    const Listening listener = side.offered();
    fcntl(listener.fd, F_SETFL, O_NONBLOCK);
    show_flags(side, "listener", listener.fd);
    show_masks(side, listener.fd, "nobody calls");
    side.result("accept", accept(listener.fd, nullptr, nullptr));
    side.meet();
    side.line("readable: %d", await(listener.fd, POLLIN));
    show_masks(side, listener.fd, "somebody calls");
    const int fd = side.accepted(listener);
    show_flags(side, "accepted", fd);
    receive_bytes(side, fd, 4);
    side.result("accept", accept(listener.fd, nullptr, nullptr));
    show_masks(side, listener.fd, "nobody calls again");
    side.meet();
}

void a_blocking_accept_is_woken(Side& side) {
    if (side.server) {
        const Listening listener = side.offered();
        const int fd = side.accepted(listener);
        receive_bytes(side, fd, 5);
        return;
    }
    const std::uint64_t port = side.exchange(0);
    usleep(100'000);  // likely asleep by now; the outcome does not depend on it
    const int fd = side.connect_to(port);
    send_bytes(side, fd, 5);
}

void accept_waits_as_long_as_its_timeout(Side& side) {
    if (!side.server) return;
    const Listening listener = side.listening();
    const timeval timeout{0, 50'000};
    setsockopt(listener.fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    side.result("accept", accept(listener.fd, nullptr, nullptr));
}

void several_callers_are_accepted_in_order(Side& side) {
    constexpr std::size_t kCallers = 6;
    if (!side.server) {
        const std::uint64_t port = side.exchange(0);
        std::vector<int> fds;
        for (std::size_t i = 0; i < kCallers; ++i) {
            fds.push_back(side.connect_to(port));
            send_bytes(side, fds.back(), i + 1, 0, i);
        }
        side.meet();
        for (std::size_t i = 0; i < kCallers; ++i) receive_bytes(side, fds[i], 10);
        return;
    }
    const Listening listener = side.offered();
    side.meet();
    for (std::size_t i = 0; i < kCallers; ++i) {
        const int fd = side.accepted(listener);
        receive_bytes(side, fd, 10);
        send_bytes(side, fd, 10 - i, 0, i);
    }
}

void a_caller_that_left_before_accept_is_still_heard(Side& side) {
    if (!side.server) {
        const int fd = side.connect_to(side.exchange(0));
        send_bytes(side, fd, 5);
        close(fd);
        side.meet();
        return;
    }
    const Listening listener = side.offered();
    side.meet();
    Name name;
    const int fd = side.accepted(listener, &name);
    receive_bytes(side, fd, 10);
    receive_bytes(side, fd, 10);
    show_masks(side, fd, "peer closed");
}

void closing_the_listener_resets_callers_in_its_queue(Side& side) {
    if (side.server) {
        const Listening listener = side.offered();
        side.meet();
        close(listener.fd);
        side.meet();
        return;
    }
    const int fd = side.connect_to(side.exchange(0));
    side.meet();
    side.meet();
    side.line("ended: %d", await(fd, POLLHUP));
    show_masks(side, fd, "listener closed");
    receive_bytes(side, fd, 10);
}

void accept_stores_as_much_of_the_name_as_fits(Side& side) {
    if (!side.server) {
        const std::uint64_t port = side.exchange(0);
        for (int i = 0; i < 3; ++i) side.connect_to(port);
        side.meet();
        return;
    }
    const Listening listener = side.offered();
    side.meet();
    for (socklen_t room : {0U, 2U, 100U}) {
        unsigned char bytes[100];
        memset(bytes, 0xEE, sizeof bytes);
        socklen_t length = room;
        const int fd = side.must("accept", accept(listener.fd, reinterpret_cast<sockaddr*>(bytes), &length));
        side.line("room %u: length %u, family %02x%02x", room, length, bytes[0], bytes[1]);
        length = room;
        side.result("getpeername", getpeername(fd, reinterpret_cast<sockaddr*>(bytes), &length));
        side.line("length %u", length);
        side.note_transport(fd);
    }
}

void a_port_in_use_cannot_be_bound(Side& side) {
    if (!side.server) return;
    const Listening listener = side.listening();
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    Name name = local_name(listener.fd);
    side.result("bind", bind(fd, name.get(), name.length));
    side.result("bind the listener again", bind(listener.fd, name.get(), name.length));
    side.result("listen again", listen(listener.fd, 3));
    side.result("connect the listener", connect(listener.fd, name.get(), name.length));
    receive_bytes(side, listener.fd, 1);
    send_bytes(side, listener.fd, 1);
    side.line("SO_ACCEPTCONN %d", option(listener.fd, SOL_SOCKET, SO_ACCEPTCONN));
}

void v6_listener(Side& side, const char* address, int v6_only) {
    const int fd = side.must("socket", socket(AF_INET6, SOCK_STREAM, 0));
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only);
    Name name = name_of(address, 0);
    side.must("bind", bind(fd, name.get(), name.length));
    side.must("listen", listen(fd, 4));
    side.exchange(local_name(fd).port());
    if (v6_only != 0) {
        side.meet();
        return;
    }
    Name peer;
    const int accepted = side.must("accept", accept(fd, peer.get(), &peer.length));
    side.note_transport(accepted);
    const std::string prefix = peer.text().substr(0, 11);
    side.line("peer begins %s, length %u, own name %s", prefix.c_str(), peer.length,
              local_name(accepted).text().c_str());
    receive_bytes(side, accepted, 10);
    side.meet();
}

void an_ipv4_client_reaches_a_dual_stack_listener(Side& side) {
    if (side.server) return v6_listener(side, "::", 0);
    const int fd = side.connect_to(side.exchange(0));
    send_bytes(side, fd, 10);
    side.meet();
}

void an_ipv4_client_is_refused_by_an_ipv6_only_listener(Side& side) {
    if (side.server) return v6_listener(side, "::", 1);
    Name name = name_of(side.address, side.exchange(0));
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    side.result("connect", connect(fd, name.get(), name.length));
    side.meet();
}

void an_ipv6_socket_calls_a_mapped_ipv4_address(Side& side) {
    if (side.server) {
        const Listening listener = side.offered();
        Name peer;
        const int fd = side.accepted(listener, &peer);
        side.line("peer's family %d, length %u", peer.storage.ss_family, peer.length);
        receive_bytes(side, fd, 10);
        return;
    }
    Name name = name_of((std::string("::ffff:") + side.address).c_str(), side.exchange(0));
    const int fd = socket(AF_INET6, SOCK_STREAM, 0);
    side.result("connect", connect(fd, name.get(), name.length));
    side.note_transport(fd);
    Name peer;
    getpeername(fd, peer.get(), &peer.length);
    side.line("peer %s, length %u; own length %u", peer.text().c_str(), peer.length, local_name(fd).length);
    send_bytes(side, fd, 10);
}

constexpr Case kCases[] = {
    {"accept4_sets_flags", accept4_sets_flags},
    {"a_nonblocking_listener_says_eagain", a_nonblocking_listener_says_eagain},
    {"a_blocking_accept_is_woken", a_blocking_accept_is_woken},
    {"accept_waits_as_long_as_its_timeout", accept_waits_as_long_as_its_timeout},
    {"several_callers_are_accepted_in_order", several_callers_are_accepted_in_order},
    {"a_caller_that_left_before_accept_is_still_heard", a_caller_that_left_before_accept_is_still_heard},
    {"closing_the_listener_resets_callers_in_its_queue", closing_the_listener_resets_callers_in_its_queue},
    {"accept_stores_as_much_of_the_name_as_fits", accept_stores_as_much_of_the_name_as_fits},
    {"a_port_in_use_cannot_be_bound", a_port_in_use_cannot_be_bound},
    {"an_ipv4_client_reaches_a_dual_stack_listener", an_ipv4_client_reaches_a_dual_stack_listener},
    {"an_ipv4_client_is_refused_by_an_ipv6_only_listener",
     an_ipv4_client_is_refused_by_an_ipv6_only_listener},
    {"an_ipv6_socket_calls_a_mapped_ipv4_address", an_ipv6_socket_calls_a_mapped_ipv4_address},
};

}  // namespace

int main(int argc, char** argv) { return run_cases(kCases, argc, argv); }
