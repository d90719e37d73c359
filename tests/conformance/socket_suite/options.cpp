// Cases of socket options and of what ioctl tells.
#include <linux/sockios.h>
#include <netinet/tcp.h>

#include "calls.hpp"

#ifndef TCP_ULP
#define TCP_ULP 31
#endif

namespace {

void show_option(Side& side, int fd, const char* name, int level, int option_name) {
    int value = -1;
    socklen_t length = sizeof value;
    const int result = getsockopt(fd, level, option_name, &value, &length);
    if (result != 0) {
        side.result(name, result);
    } else {
        side.line("%s %d, length %u", name, value, length);
    }
}

void set_and_show(Side& side, int fd, const char* name, int level, int option_name, int value) {
    side.line("%s %d: %s", name, value,
              setsockopt(fd, level, option_name, &value, sizeof value) == 0 ? "set" : strerrorname_np(errno));
    show_option(side, fd, name, level, option_name);
}

void what_a_socket_is(Side& side) {
    const auto show = [&](int fd) {
        show_option(side, fd, "SO_TYPE", SOL_SOCKET, SO_TYPE);
        show_option(side, fd, "SO_DOMAIN", SOL_SOCKET, SO_DOMAIN);
        show_option(side, fd, "SO_PROTOCOL", SOL_SOCKET, SO_PROTOCOL);
        show_option(side, fd, "SO_ACCEPTCONN", SOL_SOCKET, SO_ACCEPTCONN);
        show_option(side, fd, "SO_ERROR", SOL_SOCKET, SO_ERROR);
        show_option(side, fd, "SO_RCVLOWAT", SOL_SOCKET, SO_RCVLOWAT);
        show_option(side, fd, "SO_SNDLOWAT", SOL_SOCKET, SO_SNDLOWAT);
        show_option(side, fd, "SO_OOBINLINE", SOL_SOCKET, SO_OOBINLINE);
    };
    const Listening listener = side.listening();
    show(listener.fd);
    show(side.connection());
    side.meet();
}

void options_are_kept(Side& side) {
    const int fd = side.connection();
    for (int value : {1, 0, 5}) {
        set_and_show(side, fd, "TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, value);
        set_and_show(side, fd, "TCP_CORK", IPPROTO_TCP, TCP_CORK, value);
        set_and_show(side, fd, "SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, value);
        set_and_show(side, fd, "TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, value + 1);
        set_and_show(side, fd, "TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL, value + 1);
        set_and_show(side, fd, "TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT, value + 1);
        set_and_show(side, fd, "TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, 1000 * value);
        set_and_show(side, fd, "TCP_QUICKACK", IPPROTO_TCP, TCP_QUICKACK, value != 0);
        set_and_show(side, fd, "SO_PRIORITY", SOL_SOCKET, SO_PRIORITY, value);
        set_and_show(side, fd, "SO_RCVLOWAT", SOL_SOCKET, SO_RCVLOWAT, value);
        set_and_show(side, fd, "SO_SNDBUF", SOL_SOCKET, SO_SNDBUF, 100'000 + value);
        set_and_show(side, fd, "SO_RCVBUF", SOL_SOCKET, SO_RCVBUF, 100'000 + value);
    }
    set_and_show(side, fd, "TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, -1);
    set_and_show(side, fd, "TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, 0);
    set_and_show(side, fd, "SO_RCVLOWAT", SOL_SOCKET, SO_RCVLOWAT, 1);
    send_bytes(side, fd, 10);
    receive_bytes(side, fd, 10, MSG_WAITALL);
    side.meet();
}

void refused_options(Side& side) {
    const int fd = side.connection();
    int value = 1;
    socklen_t length = sizeof value;
    timeval timeout{};
    linger how{};
    side.result("unknown level", setsockopt(fd, 12345, 1, &value, sizeof value));
    side.result("unknown name", setsockopt(fd, SOL_SOCKET, 12345, &value, sizeof value));
    side.result("unknown name of TCP", getsockopt(fd, IPPROTO_TCP, 12345, &value, &length));
    side.result("too short", setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, 1));
    side.result("a short time-out", setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, 4));
    side.result("a short linger", setsockopt(fd, SOL_SOCKET, SO_LINGER, &how, 4));
    side.result("SO_ERROR is told only", setsockopt(fd, SOL_SOCKET, SO_ERROR, &value, sizeof value));
    side.result("SO_TYPE is told only", setsockopt(fd, SOL_SOCKET, SO_TYPE, &value, sizeof value));
    length = 2;
    side.result("SO_ERROR in two bytes", getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &length));
    side.line("length %u", length);
    length = 100;
    side.result("SO_TYPE in plenty", getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &length));
    side.line("length %u", length);
    length = static_cast<socklen_t>(-1);
    side.result("SO_ERROR in less than nothing", getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &length));
    side.meet();
}

void lingering(Side& side) {
    const int first = side.connection();
    const int second = side.connection();
    const linger wait{1, 5}, no{0, 7};
    linger how{};
    socklen_t length = sizeof how;
    side.result("set", setsockopt(first, SOL_SOCKET, SO_LINGER, &wait, sizeof wait));
    side.result("get", getsockopt(first, SOL_SOCKET, SO_LINGER, &how, &length));
    side.line("%d %d, length %u", how.l_onoff, how.l_linger, length);
    const linger abort_at_once{1, 0};
    setsockopt(second, SOL_SOCKET, SO_LINGER, &abort_at_once, sizeof abort_at_once);
    side.result("take it back", setsockopt(second, SOL_SOCKET, SO_LINGER, &no, sizeof no));
    side.meet();
    if (!side.server) {
        for (int fd : {first, second}) {
            send_bytes(side, fd, 100);
            side.result("close", close(fd));
        }
        side.meet();
        return;
    }
    side.meet();
    for (int fd : {first, second}) {
        receive_bytes(side, fd, 200, MSG_WAITALL);
        receive_bytes(side, fd, 1);
    }
}

int state_of(int fd) {
    tcp_info info{};
    socklen_t length = sizeof info;
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 ? info.tcpi_state : -1;
}

void states_in_tcp_info(Side& side) {
    const Listening listener = side.listening();
    side.line("listening %d", state_of(listener.fd));
    const int fd = side.connection();
    side.line("connected %d", state_of(fd));
    std::uint8_t state = 0;
    socklen_t length = sizeof state;
    side.result("one byte of it", getsockopt(fd, IPPROTO_TCP, TCP_INFO, &state, &length));
    side.line("%d, length %u", state, length);
    side.meet();
    if (side.server) shutdown(fd, SHUT_WR);
    side.meet();
    if (!side.server) {
        await(fd, POLLRDHUP);
        side.line("after the peer's end %d", state_of(fd));
    }
    side.meet();
    if (side.server) {
        for (int left = 1000; state_of(fd) == TCP_FIN_WAIT1 && left > 0; --left) usleep(1000);
        side.line("after the own end %d", state_of(fd));
        shutdown(fd, SHUT_RD);
        side.line("after reading is shut %d", state_of(fd));
    }
    side.meet();
    if (!side.server) close(fd);
    side.meet();
    if (side.server) {
        await(fd, POLLHUP);  // which a half of it is enough for
        for (int left = 1000; state_of(fd) != TCP_CLOSE && left > 0; --left) usleep(1000);
        side.line("at the end %d", state_of(fd));
    }
}

// TLS libraries that offer their keys to the kernel go on by themselves if it does not take them.
void kernel_tls_is_refused(Side& side) {
    const int fd = side.connection();
    errno = 0;
    const int result = setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof "tls");
    side.line("refused or taken: %d", result == 0 || errno == ENOENT || errno == ENOTCONN);
    side.result("another one", setsockopt(fd, IPPROTO_TCP, TCP_ULP, "nonsense", sizeof "nonsense"));
    send_bytes(side, fd, 10);
    receive_bytes(side, fd, 10, MSG_WAITALL);
    side.meet();
}

void queue_sizes(Side& side) {
    const int fd = side.connection();
    int size = -1;
    if (!side.server) send_bytes(side, fd, 1000);
    side.meet();
    if (side.server) {
        await_bytes(fd, 1000);
        side.result("SIOCINQ", ioctl(fd, SIOCINQ, &size));
        side.line("%d", size);
        receive_bytes(side, fd, 400);
        side.result("FIONREAD", ioctl(fd, FIONREAD, &size));
        side.line("%d", size);
        receive_bytes(side, fd, 600);
    }
    side.meet();
    for (int left = 1000; left > 0 && ioctl(fd, SIOCOUTQ, &size) == 0 && size > 0; --left) usleep(2000);
    side.line("unsent %d", size);
    side.result("SIOCOUTQNSD", ioctl(fd, SIOCOUTQNSD, &size));
    side.line("not sent at all %d", size);
    side.result("SIOCATMARK", ioctl(fd, SIOCATMARK, &size));
    side.line("at the mark %d", size);
    side.result("nonsense", ioctl(fd, 0x12345, &size));
    side.result("FIONREAD into nothing", ioctl(fd, FIONREAD, nullptr));
    side.meet();
    if (side.server) shutdown(fd, SHUT_WR);
    side.meet();
    if (!side.server) {
        await(fd, POLLRDHUP);
        side.result("FIONREAD at the end", ioctl(fd, FIONREAD, &size));
        side.line("%d", size);
    }
    const Listening listener = side.listening();
    side.result("FIONREAD of a listener", ioctl(listener.fd, FIONREAD, &size));
    side.result("SIOCOUTQ of a listener", ioctl(listener.fd, SIOCOUTQ, &size));
    side.meet();
}

void a_disconnect_leaves_an_error(Side& side) {
    const int fd = side.connection();
    if (!side.server) {
        sockaddr nowhere{};
        nowhere.sa_family = AF_UNSPEC;
        side.result("disconnect", connect(fd, &nowhere, sizeof nowhere));
        show_masks(side, fd, "disconnected");
        show_socket_error(side, fd);
        show_socket_error(side, fd);
    }
    side.meet();
}

constexpr Case kCases[] = {
    {"what_a_socket_is", what_a_socket_is},
    {"options_are_kept", options_are_kept},
    {"refused_options", refused_options},
    {"lingering", lingering, true},
    {"states_in_tcp_info", states_in_tcp_info},
    {"kernel_tls_is_refused", kernel_tls_is_refused},
    {"queue_sizes", queue_sizes},
    {"a_disconnect_leaves_an_error", a_disconnect_leaves_an_error},
};

}  // namespace

int main(int argc, char** argv) { return run_cases(kCases, argc, argv); }
