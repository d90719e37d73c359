// socket, bind, listen, accept, connect, shutdown, names and options: find our socket, call it, else libc.
// A TCP or AF_VSOCK stream becomes ours when it is made; whatever else socket() makes is never looked at
// again.
#include <netinet/in.h>

#include "guest-lib/cancellation.hpp"
#include "guest-lib/enabled.hpp"
#include "guest-lib/names.hpp"
#include "guest-lib/real_libc.hpp"
#include "guest-lib/session.hpp"
#include "guest-lib/socket.hpp"
#include "guest-lib/socket_options.hpp"
#include "guest-lib/vsock_fd.hpp"

using namespace xylem;

namespace {

bool is_tcp(int domain, int type, int protocol) {
    return (domain == AF_INET || domain == AF_INET6) && (type & 0xF) == SOCK_STREAM &&
           (protocol == 0 || protocol == IPPROTO_TCP);
}

bool is_vsock_stream(int domain, int type) { return domain == AF_VSOCK && (type & 0xF) == SOCK_STREAM; }

int make_vsock(int type, int protocol) {
    bool is_stand_in = false;
    const int fd = make_vsock_fd(type, protocol, is_stand_in);
    if (fd < 0) return fd;
    const int saved_errno = errno;
    // Without an agent nothing could be done with a stand-in: the kernel's answer stands.
    const bool is_useless = is_stand_in && Session::self().map() == nullptr;
    Socket* socket = is_useless ? nullptr : Socket::adopt_fd(fd, AF_VSOCK);
    if (socket == nullptr && is_stand_in) {
        system_call(SYS_close, fd);
        return fail_errno_with(is_useless ? EAFNOSUPPORT : ENOMEM);
    }
    if (socket != nullptr) {
        socket->stand_in.store_relaxed(is_stand_in ? 1 : 0);
        set_nonblocking(*socket, (type & SOCK_NONBLOCK) != 0);
    }
    errno = saved_errno;
    return fd;
}

Ref<Socket> vsock_socket(int fd) {
    if (peek(fd) == nullptr) return {};
    Ref<Socket> socket = find<Socket>(fd);
    if (!socket || socket->family != AF_VSOCK) return {};
    return socket;
}

// Of a listener that is not offered, or of a socket that does not listen.
int accept_in_kernel(Socket& socket, int fd, sockaddr* address, socklen_t* length, int flags) {
    struct Call {
        int fd;
        sockaddr* address;
        socklen_t* length;
        int flags;
    } call{fd, address, length, flags};
    if (socket.is_stand_in()) return fail_errno_with(EINVAL);
    const auto made = static_cast<int>(sleep_holding(
        socket, false,
        [](void* context) -> long {
            const Call& how = *static_cast<Call*>(context);
            return real().accept4(how.fd, how.address, how.length, how.flags);
        },
        &call));
    if (made >= 0 && socket.not_offered != Reason::none) socket.stays_accepted_on_tcp(made);
    return made;
}

}  // namespace

XYLEM_EXPORT(int, socket, (int domain, int type, int protocol)) {
    if (is_vsock_stream(domain, type) && is_enabled()) return make_vsock(type, protocol);
    const int fd = real().socket(domain, type, protocol);
    if (fd >= 0 && is_tcp(domain, type, protocol) && is_enabled()) {
        const int saved_errno = errno;
        Socket* socket = Socket::adopt_fd(fd, domain);
        if (socket != nullptr) set_nonblocking(*socket, (type & SOCK_NONBLOCK) != 0);
        errno = saved_errno;
    }
    return fd;
}

XYLEM_EXPORT(int, bind, (int fd, const sockaddr* address, socklen_t length)) {
    if (ring_socket(fd)) return fail_errno_with(EINVAL);  // connected: bound already
    if (Ref<Socket> socket = vsock_socket(fd)) return socket->bind_vsock(fd, address, length);
    return real().bind(fd, address, length);
}

XYLEM_EXPORT(int, listen, (int fd, int backlog)) {
    Ref<Socket> socket = find<Socket>(fd);
    if (!socket) return real().listen(fd, backlog);
    if (socket->is_ring()) return fail_errno_with(EINVAL);
    return socket->listen(fd, backlog);
}

XYLEM_EXPORT(int, accept4, (int fd, sockaddr* address, socklen_t* length, int flags)) {
    if (peek(fd) != nullptr) may_be_cancelled();
    Ref<Socket> socket = find<Socket>(fd);
    if (!socket) return real().accept4(fd, address, length, flags);
    if (socket->state() != SocketState::listening)
        return accept_in_kernel(*socket, fd, address, length, flags);
    if ((flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) != 0) return fail_errno_with(EINVAL);
    return socket->accept(fd, address, length, flags);
}

XYLEM_EXPORT(int, accept, (int fd, sockaddr* address, socklen_t* length)) {
    if (peek(fd) != nullptr) may_be_cancelled();
    Ref<Socket> socket = find<Socket>(fd);
    if (!socket) return real().accept(fd, address, length);
    if (socket->state() != SocketState::listening) return accept_in_kernel(*socket, fd, address, length, 0);
    return socket->accept(fd, address, length, 0);
}

XYLEM_EXPORT(int, connect, (int fd, const sockaddr* address, socklen_t length)) {
    if (peek(fd) != nullptr) may_be_cancelled();
    Ref<Socket> socket = find<Socket>(fd);
    if (!socket) return real().connect(fd, address, length);
    if (socket->family == AF_VSOCK) return socket->connect_vsock(fd, address, length);
    return socket->connect(fd, address, length);
}

XYLEM_EXPORT(int, shutdown, (int fd, int how)) {
    if (Ref<Socket> socket = carried_socket(fd)) return socket->shutdown(how);
    return real().shutdown(fd, how);
}

XYLEM_EXPORT(int, getsockname, (int fd, sockaddr* address, socklen_t* length)) {
    if (Ref<Socket> socket = vsock_socket(fd)) return socket->get_vsock_name(fd, address, length);
    if (Ref<Socket> socket = ring_socket(fd)) {
        if (address == nullptr || length == nullptr) return fail_errno_with(EFAULT);
        store_name(as_seen_by(socket->family, socket->stream.page().local), address, length);
        return 0;
    }
    return real().getsockname(fd, address, length);
}

XYLEM_EXPORT(int, getpeername, (int fd, sockaddr* address, socklen_t* length)) {
    if (Ref<Socket> socket = ring_socket(fd)) {
        if (address == nullptr || length == nullptr) return fail_errno_with(EFAULT);
        if (socket->stream.is_over()) return fail_errno_with(ENOTCONN);
        store_name(as_seen_by(socket->family, socket->stream.page().peer), address, length);
        return 0;
    }
    return real().getpeername(fd, address, length);
}

XYLEM_EXPORT(int, getsockopt, (int fd, int level, int name, void* value, socklen_t* length)) {
    if (Ref<Socket> socket = vsock_socket(fd)) {
        return get_vsock_option(*socket, fd, level, name, value, length);
    }
    if (Ref<Socket> socket = ring_socket(fd)) return get_option(*socket, fd, level, name, value, length);
    return real().getsockopt(fd, level, name, value, length);
}

XYLEM_EXPORT(int, setsockopt, (int fd, int level, int name, const void* value, socklen_t length)) {
    if (Ref<Socket> socket = vsock_socket(fd); socket && socket->is_stand_in()) {
        if (level == AF_VSOCK) return socket->vsock.options.set(name, value, length);
        if (level != SOL_SOCKET) return fail_errno_with(ENOPROTOOPT);
        if (name == SO_PEEK_OFF) return fail_errno_with(EOPNOTSUPP);  // vsock_fd.cpp
    }
    Ref<Socket> socket = find<Socket>(fd);
    const int refused = socket ? refuse_option(*socket, level, name) : 0;
    if (refused != 0) return fail_errno_with(refused);
    const int result = real().setsockopt(fd, level, name, value, length);
    if (result == 0 && socket) note_option(*socket, level, name, value, length);
    return result;
}
