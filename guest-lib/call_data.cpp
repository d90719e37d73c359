// The reading and writing calls: a ring socket's are its stream's, all others libc's
// (but for AF_VSOCK stand-ins, which are never connected in the kernel).
#include <sys/socket.h>

#include <algorithm>

#include "guest-lib/real_libc.hpp"
#include "guest-lib/socket.hpp"

using namespace xylem;

namespace {

iovec piece(const void* buffer, std::size_t size) { return {const_cast<void*>(buffer), size}; }

ssize_t receive_one(Socket& socket, void* buffer, std::size_t size, int flags) {
    const iovec vector = piece(buffer, size);
    return socket.receive(&vector, 1, flags);
}

ssize_t send_one(Socket& socket, const void* buffer, std::size_t size, int flags) {
    const iovec vector = piece(buffer, size);
    return socket.send(&vector, 1, flags);
}

ssize_t send_message_of(Socket& socket, const msghdr& message, int flags) {
    if (message.msg_iovlen > IOV_MAX) return fail_errno_with(EMSGSIZE);
    return socket.send(message.msg_iov, message.msg_iovlen, flags);
}

ssize_t receive_message_into(Socket& socket, msghdr& message, int flags) {
    if (message.msg_iovlen > IOV_MAX) return fail_errno_with(EMSGSIZE);
    const ssize_t got = socket.receive(message.msg_iov, message.msg_iovlen, flags);
    if (got >= 0) {
        message.msg_namelen = 0;
        message.msg_controllen = 0;
        message.msg_flags = 0;
    }
    return got;
}

}  // namespace

XYLEM_EXPORT(ssize_t, read, (int fd, void* buffer, size_t size)) {
    if (Ref<Socket> socket = data_socket(fd)) return size == 0 ? 0 : receive_one(*socket, buffer, size, 0);
    return real().read(fd, buffer, size);
}

XYLEM_EXPORT(ssize_t, readv, (int fd, const iovec* vectors, int count)) {
    if (Ref<Socket> socket = data_socket(fd)) {
        if (count < 0 || count > IOV_MAX) return fail_errno_with(EINVAL);
        return socket->receive(vectors, static_cast<std::size_t>(count), 0);
    }
    return real().readv(fd, vectors, count);
}

XYLEM_EXPORT(ssize_t, recv, (int fd, void* buffer, size_t size, int flags)) {
    if (Ref<Socket> socket = data_socket(fd)) return receive_one(*socket, buffer, size, flags);
    return real().recv(fd, buffer, size, flags);
}

XYLEM_EXPORT(ssize_t, recvfrom,
             (int fd, void* buffer, size_t size, int flags, sockaddr* from, socklen_t* length)) {
    if (Ref<Socket> socket = data_socket(fd)) {
        const ssize_t got = receive_one(*socket, buffer, size, flags);
        if (got >= 0 && from != nullptr && length != nullptr) *length = 0;
        return got;
    }
    return real().recvfrom(fd, buffer, size, flags, from, length);
}

XYLEM_EXPORT(ssize_t, recvmsg, (int fd, msghdr* message, int flags)) {
    if (Ref<Socket> socket = data_socket(fd)) return receive_message_into(*socket, *message, flags);
    return real().recvmsg(fd, message, flags);
}

XYLEM_EXPORT(int, recvmmsg, (int fd, mmsghdr* messages, unsigned count, int flags, timespec* timeout)) {
    Ref<Socket> socket = data_socket(fd);
    if (!socket) return real().recvmmsg(fd, messages, count, flags, timeout);
    unsigned done = 0;
    for (; done < count; ++done) {
        const bool wait = done == 0 || (flags & MSG_WAITFORONE) == 0;
        const int now = (flags & ~MSG_WAITFORONE) | (wait ? 0 : MSG_DONTWAIT);
        const ssize_t got = receive_message_into(*socket, messages[done].msg_hdr, now);
        if (got < 0) return done > 0 ? static_cast<int>(done) : -1;
        messages[done].msg_len = static_cast<unsigned>(got);
        if (got == 0) return static_cast<int>(done + 1);
    }
    return static_cast<int>(done);
}

XYLEM_EXPORT(ssize_t, write, (int fd, const void* buffer, size_t size)) {
    if (Ref<Socket> socket = data_socket(fd)) return send_one(*socket, buffer, size, 0);
    return real().write(fd, buffer, size);
}

XYLEM_EXPORT(ssize_t, writev, (int fd, const iovec* vectors, int count)) {
    if (Ref<Socket> socket = data_socket(fd)) {
        if (count < 0 || count > IOV_MAX) return fail_errno_with(EINVAL);
        return socket->send(vectors, static_cast<std::size_t>(count), 0);
    }
    return real().writev(fd, vectors, count);
}

XYLEM_EXPORT(ssize_t, send, (int fd, const void* buffer, size_t size, int flags)) {
    if (Ref<Socket> socket = data_socket(fd)) return send_one(*socket, buffer, size, flags);
    return real().send(fd, buffer, size, flags);
}

XYLEM_EXPORT(ssize_t, sendto,
             (int fd, const void* buffer, size_t size, int flags, const sockaddr* to, socklen_t length)) {
    if (Ref<Socket> socket = data_socket(fd)) return send_one(*socket, buffer, size, flags);
    return real().sendto(fd, buffer, size, flags, to, length);
}

XYLEM_EXPORT(ssize_t, sendmsg, (int fd, const msghdr* message, int flags)) {
    if (Ref<Socket> socket = data_socket(fd)) {
        return send_message_of(*socket, *message, flags);
    }
    return real().sendmsg(fd, message, flags);
}

XYLEM_EXPORT(int, sendmmsg, (int fd, mmsghdr* messages, unsigned count, int flags)) {
    Ref<Socket> socket = data_socket(fd);
    if (!socket) return real().sendmmsg(fd, messages, count, flags);
    unsigned done = 0;
    for (; done < count; ++done) {
        const ssize_t sent = send_message_of(*socket, messages[done].msg_hdr, flags);
        if (sent < 0) return done > 0 ? static_cast<int>(done) : -1;
        messages[done].msg_len = static_cast<unsigned>(sent);
    }
    return static_cast<int>(done);
}
