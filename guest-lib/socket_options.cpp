// Socket options that the stream has a part in: time-outs, low-water mark, linger, pending error, and the
// state inside TCP_INFO, which for the unconnected kernel socket would say CLOSE.
#include "guest-lib/socket_options.hpp"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/time.h>

#include <algorithm>
#include <cstring>

#include "guest-lib/real_libc.hpp"
#include "guest-lib/session.hpp"
#include "guest-lib/socket.hpp"

namespace xylem {
namespace {

template <class T>
bool read_value(const void* value, socklen_t length, T& out) {
    if (value == nullptr || length < sizeof(T)) return false;
    std::memcpy(&out, value, sizeof(T));
    return true;
}

void note_timeout(AtomicU64& before, AtomicU64* now, const void* value, socklen_t length) {
    timeval timeout{};
    if (!read_value(value, length, timeout)) return;
    const std::uint64_t ns = static_cast<std::uint64_t>(timeout.tv_sec) * kNsPerSecond +
                             static_cast<std::uint64_t>(timeout.tv_usec) * kNsPerUs;
    before.store_relaxed(ns);
    if (now != nullptr) now->store_relaxed(ns);
}

// The peer's acknowledgements come at once, so states that wait for one are never seen.
std::uint8_t tcp_state(Stream& stream) {
    if (stream.is_over()) return TCP_CLOSE;
    const std::uint32_t status = stream.page().status.load_acquire();
    if ((status & kPeerFinSeen) != 0) return TCP_CLOSE_WAIT;
    return (status & kWriteShut) != 0 ? TCP_FIN_WAIT2 : TCP_ESTABLISHED;
}

// 0, or the errno for such room.
int refuse_room(const void* value, const socklen_t* length) {
    if (value == nullptr || length == nullptr) return EFAULT;
    return static_cast<int>(*length) < 0 ? EINVAL : 0;
}

int store_number(int number, void* value, socklen_t* length) {
    if (const int refused = refuse_room(value, length); refused != 0) return fail_errno_with(refused);
    const std::size_t size = *length < sizeof number ? *length : sizeof number;
    std::memcpy(value, &number, size);
    *length = static_cast<socklen_t>(size);
    return 0;
}

}  // namespace

int get_option(Socket& socket, int fd, int level, int name, void* value, socklen_t* length) {
    if (level == SOL_SOCKET && name == SO_ERROR && socket.is_ring()) {
        if (const int refused = refuse_room(value, length); refused != 0) return fail_errno_with(refused);
        return store_number(socket.stream.take_error(), value, length);
    }
    const int result = real().getsockopt(fd, level, name, value, length);
    if (result == 0 && socket.is_ring() && level == IPPROTO_TCP && name == TCP_INFO && *length >= 1) {
        const std::uint8_t state = tcp_state(socket.stream);
        std::memcpy(value, &state, sizeof state);
    }
    return result;
}

int get_vsock_option(Socket& socket, int fd, int level, int name, void* value, socklen_t* length) {
    if (level == SOL_SOCKET) {
        const bool listens = socket.state() == SocketState::listening;
        if (name == SO_DOMAIN) return store_number(AF_VSOCK, value, length);
        if (name == SO_TYPE) return store_number(SOCK_STREAM, value, length);
        if (name == SO_ACCEPTCONN && listens) return store_number(1, value, length);
        if (name == SO_PEEK_OFF && socket.is_stand_in()) return fail_errno_with(EOPNOTSUPP);  // vsock_fd.cpp
        return get_option(socket, fd, level, name, value, length);
    }
    if (!socket.is_stand_in()) return real().getsockopt(fd, level, name, value, length);
    if (level != AF_VSOCK) return fail_errno_with(ENOPROTOOPT);
    return socket.vsock.options.get(name, value, length);
}

int get_local_cid(int fd, unsigned long request, void* value) {
    const bool is_vsock = [fd] {
        Ref<Socket> socket = find<Socket>(fd);
        return socket && socket->family == AF_VSOCK;
    }();
    if (!is_vsock) {
        const int result = real().ioctl(fd, request, value);
        if (result != 0) return result;
    }
    if (Session::self().map() == nullptr) return is_vsock ? fail_errno_with(ENODEV) : 0;
    if (value == nullptr) return fail_errno_with(EFAULT);
    const std::uint32_t cid = Session::self().own_domain();
    std::memcpy(value, &cid, sizeof cid);
    return 0;
}

void note_option(Socket& socket, int level, int name, const void* value, socklen_t length) {
    if (level != SOL_SOCKET) return;
    EndPage* page = socket.is_ring() ? &socket.stream.page() : nullptr;
    if (name == SO_RCVTIMEO) {
        note_timeout(socket.receive_timeout_ns, page != nullptr ? &page->receive_timeout_ns : nullptr, value,
                     length);
    } else if (name == SO_SNDTIMEO) {
        note_timeout(socket.send_timeout_ns, page != nullptr ? &page->send_timeout_ns : nullptr, value,
                     length);
    } else if (name == SO_LINGER) {
        linger how{};
        if (read_value(value, length, how)) {
            socket.abort_on_close.store_relaxed(how.l_onoff != 0 && how.l_linger == 0 ? 1 : 0);
        }
    } else if (name == SO_RCVLOWAT && page != nullptr) {
        int bytes = 0;
        if (read_value(value, length, bytes)) {
            page->low_water_bytes.store_relaxed(static_cast<std::uint32_t>(std::max(bytes, 1)));
        }
    }
}

void set_nonblocking(Socket& socket, bool nonblocking) {
    socket.nonblocking.store_relaxed(nonblocking ? 1 : 0);
    if (socket.is_ring()) socket.stream.page().nonblocking.store_relaxed(nonblocking ? 1 : 0);
}

bool is_nonblocking(const Socket& socket) { return socket.nonblocking.load_relaxed() != 0; }

bool get_queue_size(Socket& socket, unsigned long request, int* value) {
    if (request != FIONREAD && request != SIOCOUTQ) return false;
    if (value == nullptr) return false;
    *value =
        static_cast<int>(request == FIONREAD ? socket.stream.readable_bytes() : socket.stream.unsent_bytes());
    return true;
}

}  // namespace xylem
