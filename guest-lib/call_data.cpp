// The reading and writing calls: a ring socket's are its stream's, all others libc's (but for those of
// AF_VSOCK stand-ins, which fail).
#include <sys/socket.h>

#include <algorithm>

#include "guest-lib/cancellation.hpp"
#include "guest-lib/capture.hpp"
#include "guest-lib/inheritance.hpp"
#include "guest-lib/probes.hpp"
#include "guest-lib/real_libc.hpp"
#include "guest-lib/socket.hpp"
#include "guest-lib/timeout.hpp"

using namespace xylem;

namespace {

iovec piece(const void* buffer, std::size_t size) { return {const_cast<void*>(buffer), size}; }

// The same as carried_socket(), for calls that are cancellation points.
Ref<Socket> data_socket(int fd) {
    if (peek(fd) == nullptr) return {};
    may_be_cancelled();
    Ref<Socket> socket = find<Socket>(fd);
    if (!socket || !socket->carries_data()) return {};
    return socket;
}

// Not nothing, and no more than is published in one piece.
bool is_short(std::size_t size) { return size - 1 < Stream::kPublishBytes; }

// Whether a call may take the shortest way.
bool is_simple(const Socket& socket, std::size_t size) {
    return socket.is_ring() && is_short(size) && !is_captured();
}

// Whether a receive that finds something may take it without looking at anything else.
bool is_plain(const Socket& socket, int flags) {
    return (flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL)) == 0 &&
           socket.stream.page().low_water_bytes.load_relaxed() <= 1 && socket.stream.has_bytes();
}

ssize_t receive_one(Socket& socket, void* buffer, std::size_t size, int flags) {
    if (is_simple(socket, size) && is_plain(socket, flags)) {
        const std::size_t got = socket.stream.receive_at_once(buffer, size);
        if (got > 0) {
            XYLEM_PROBE2(receive, socket.end_id, got);
            return static_cast<ssize_t>(got);
        }
    }
    const iovec vector = piece(buffer, size);
    return socket.receive(&vector, 1, flags);
}

ssize_t send_one(Socket& socket, const void* buffer, std::size_t size, int flags) {
    if (is_simple(socket, size) && socket.stream.send_at_once(buffer, size)) {
        XYLEM_PROBE2(send, socket.end_id, size);
        return static_cast<ssize_t>(size);
    }
    const iovec vector = piece(buffer, size);
    return socket.send(&vector, 1, flags);
}

// 0, or what the kernel says of such vectors.
int refuse(const iovec* vectors, std::size_t count, int too_many) {
    if (count > IOV_MAX) return too_many;
    for (std::size_t i = 0; i < count; ++i) {
        if (static_cast<ssize_t>(vectors[i].iov_len) < 0) return EINVAL;
    }
    return 0;
}

std::size_t bytes_of(const iovec* vectors, std::size_t count) {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += vectors[i].iov_len;
    return sum;
}

ssize_t send_message_of(Socket& socket, const msghdr& message, int flags) {
    const int refused = refuse(message.msg_iov, message.msg_iovlen, EMSGSIZE);
    if (refused != 0) return fail_errno_with(refused);
    return socket.send(message.msg_iov, message.msg_iovlen, flags);
}

ssize_t receive_message_into(Socket& socket, msghdr& message, int flags) {
    const int refused = refuse(message.msg_iov, message.msg_iovlen, EMSGSIZE);
    if (refused != 0) return fail_errno_with(refused);
    const ssize_t got = socket.receive(message.msg_iov, message.msg_iovlen, flags);
    if (got >= 0) {
        message.msg_namelen = 0;
        message.msg_controllen = 0;
        message.msg_flags = 0;
    }
    return got;
}

ssize_t receive_vectors(Socket& socket, const iovec* vectors, int count, int flags) {
    const int refused = refuse(vectors, static_cast<std::size_t>(count), EINVAL);
    if (refused != 0) return fail_errno_with(refused);
    if (bytes_of(vectors, static_cast<std::size_t>(count)) == 0) return 0;  // fs/read_write.c: not asked
    return socket.receive(vectors, static_cast<std::size_t>(count), flags);
}

ssize_t send_vectors(Socket& socket, const iovec* vectors, int count, int flags) {
    const int refused = refuse(vectors, static_cast<std::size_t>(count), EINVAL);
    if (refused != 0) return fail_errno_with(refused);
    if (bytes_of(vectors, static_cast<std::size_t>(count)) == 0) return 0;
    return socket.send(vectors, static_cast<std::size_t>(count), flags);
}

// -1: where the stream is. Any other offset is the kernel's to refuse, which it does for every socket.
constexpr off64_t kCurrent = -1;

// Sockets have it since Linux 6.4. The kernel's own socket, which is not connected, has no byte to give.
bool kernel_has_nowait(int fd) {
    char byte;
    const iovec one{&byte, sizeof byte};
    return real().preadv2(fd, &one, 1, kCurrent, RWF_NOWAIT) >= 0 || errno != EOPNOTSUPP;
}

// The flags of preadv2 as those of recv. False: the kernel would not know them.
bool to_message_flags(int fd, int flags, int& message_flags) {
    constexpr int kKnown = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND;
    const bool is_nowait = (flags & RWF_NOWAIT) != 0;
    message_flags = is_nowait ? MSG_DONTWAIT : 0;
    return (flags & ~kKnown) == 0 && (!is_nowait || kernel_has_nowait(fd));
}

ssize_t receive_at(int fd, Socket& socket, const iovec* vectors, int count, int flags) {
    int message_flags;
    if (!to_message_flags(fd, flags, message_flags)) return fail_errno_with(EOPNOTSUPP);
    return receive_vectors(socket, vectors, count, message_flags);
}

ssize_t send_at(int fd, Socket& socket, const iovec* vectors, int count, int flags) {
    int message_flags;
    if (!to_message_flags(fd, flags, message_flags)) return fail_errno_with(EOPNOTSUPP);
    return send_vectors(socket, vectors, count, message_flags);
}

}  // namespace

XYLEM_EXPORT(ssize_t, read, (int fd, void* buffer, size_t size)) {
    if (Ref<Socket> socket = data_socket(fd)) return size == 0 ? 0 : receive_one(*socket, buffer, size, 0);
    return real().read(fd, buffer, size);
}

XYLEM_EXPORT(ssize_t, readv, (int fd, const iovec* vectors, int count)) {
    if (Ref<Socket> socket = data_socket(fd)) {
        return receive_vectors(*socket, vectors, count, 0);
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
    const ssize_t got = real().recvmsg(fd, message, flags);
    if (got >= 0) take_in_from(*message);
    return got;
}

// net/socket.c, do_recvmmsg(): the time is looked at between messages, a pending error comes first, and one
// that comes after some messages is the next call's.
XYLEM_EXPORT(int, recvmmsg, (int fd, mmsghdr* messages, unsigned count, int flags, timespec* timeout)) {
    Ref<Socket> socket = data_socket(fd);
    if (!socket) {
        const int got = real().recvmmsg(fd, messages, count, flags, timeout);
        for (int i = 0; i < got; ++i) take_in_from(messages[i].msg_hdr);
        return got;
    }
    std::uint64_t timeout_ns;
    if (!to_timeout_ns(timeout, timeout_ns)) return fail_errno_with(EINVAL);
    const std::uint64_t deadline_ns = deadline_after(timeout_ns);
    const int error = socket->is_ring() ? socket->stream.take_error() : ENOTCONN;
    if (error != 0) return fail_errno_with(error);
    unsigned done = 0;
    while (done < count && done < IOV_MAX) {
        const bool wait = done == 0 || (flags & MSG_WAITFORONE) == 0;
        const int now = (flags & ~MSG_WAITFORONE) | (wait ? 0 : MSG_DONTWAIT);
        const ssize_t got = receive_message_into(*socket, messages[done].msg_hdr, now);
        if (got < 0 && done > 0 && errno != EAGAIN && errno != EINTR) socket->stream.put_back_error(errno);
        if (got < 0) return done > 0 ? static_cast<int>(done) : -1;
        messages[done++].msg_len = static_cast<unsigned>(got);
        if (timeout == nullptr) continue;
        const std::uint64_t time = now_ns();
        *timeout = to_timespec(deadline_ns > time ? deadline_ns - time : 0);
        if (deadline_ns <= time) break;
    }
    return static_cast<int>(done);
}

XYLEM_EXPORT(ssize_t, preadv2, (int fd, const iovec* vectors, int count, off_t offset, int flags)) {
    Ref<Socket> socket = offset == kCurrent ? data_socket(fd) : Ref<Socket>();
    if (!socket) return real().preadv2(fd, vectors, count, offset, flags);
    return receive_at(fd, *socket, vectors, count, flags);
}

XYLEM_EXPORT(ssize_t, preadv64v2, (int fd, const iovec* vectors, int count, off64_t offset, int flags)) {
    Ref<Socket> socket = offset == kCurrent ? data_socket(fd) : Ref<Socket>();
    if (!socket) return real().preadv64v2(fd, vectors, count, offset, flags);
    return receive_at(fd, *socket, vectors, count, flags);
}

XYLEM_EXPORT(ssize_t, pwritev2, (int fd, const iovec* vectors, int count, off_t offset, int flags)) {
    Ref<Socket> socket = offset == kCurrent ? data_socket(fd) : Ref<Socket>();
    if (!socket) return real().pwritev2(fd, vectors, count, offset, flags);
    return send_at(fd, *socket, vectors, count, flags);
}

XYLEM_EXPORT(ssize_t, pwritev64v2, (int fd, const iovec* vectors, int count, off64_t offset, int flags)) {
    Ref<Socket> socket = offset == kCurrent ? data_socket(fd) : Ref<Socket>();
    if (!socket) return real().pwritev64v2(fd, vectors, count, offset, flags);
    return send_at(fd, *socket, vectors, count, flags);
}

XYLEM_EXPORT(ssize_t, write, (int fd, const void* buffer, size_t size)) {
    if (Ref<Socket> socket = data_socket(fd)) return send_one(*socket, buffer, size, 0);
    return real().write(fd, buffer, size);
}

XYLEM_EXPORT(ssize_t, writev, (int fd, const iovec* vectors, int count)) {
    if (Ref<Socket> socket = data_socket(fd)) {
        return send_vectors(*socket, vectors, count, 0);
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
    if (message != nullptr) lend_what_travels(*message);
    return real().sendmsg(fd, message, flags);
}

XYLEM_EXPORT(int, sendmmsg, (int fd, mmsghdr* messages, unsigned count, int flags)) {
    Ref<Socket> socket = data_socket(fd);
    if (!socket) {
        for (unsigned i = 0; i < count; ++i) lend_what_travels(messages[i].msg_hdr);
        return real().sendmmsg(fd, messages, count, flags);
    }
    unsigned done = 0;
    while (done < count && done < IOV_MAX) {
        const msghdr& message = messages[done].msg_hdr;
        const ssize_t sent = send_message_of(*socket, message, flags);
        if (sent < 0) return done > 0 ? static_cast<int>(done) : -1;
        messages[done++].msg_len = static_cast<unsigned>(sent);
        // Behind a part of a message nothing else may come.
        if (static_cast<std::size_t>(sent) < bytes_of(message.msg_iov, message.msg_iovlen)) break;
    }
    return static_cast<int>(done);
}
