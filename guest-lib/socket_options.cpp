// Socket options that the stream has a part in: time-outs, low-water mark, linger, pending error, and the
// state inside TCP_INFO, which for the unconnected kernel socket would say CLOSE.
#include "guest-lib/socket_options.hpp"

#include <errno.h>
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

void note_number(AtomicU32& before, AtomicU32* now, std::uint32_t number) {
    before.store_relaxed(number);
    if (now != nullptr) now->store_relaxed(number);
}

// Of those that an accepted socket has from its listener, what programs ask for again. Room for data is not
// among them: the kernel doubles what it is given.
struct InheritedOption {
    int level;
    int name;
};
constexpr InheritedOption kInherited[] = {
    {SOL_SOCKET, SO_KEEPALIVE},   {SOL_SOCKET, SO_LINGER},    {SOL_SOCKET, SO_RCVLOWAT},
    {SOL_SOCKET, SO_RCVTIMEO},    {SOL_SOCKET, SO_SNDTIMEO},  {SOL_SOCKET, SO_PRIORITY},
    {SOL_SOCKET, SO_OOBINLINE},   {IPPROTO_TCP, TCP_NODELAY}, {IPPROTO_TCP, TCP_KEEPIDLE},
    {IPPROTO_TCP, TCP_KEEPINTVL}, {IPPROTO_TCP, TCP_KEEPCNT}, {IPPROTO_TCP, TCP_USER_TIMEOUT},
    {IPPROTO_IP, IP_TOS},         {IPPROTO_IP, IP_TTL},       {IPPROTO_IPV6, IPV6_TCLASS}};
static_assert(std::size(kInherited) <= 32, "bits of Socket::options_set");
constexpr std::size_t kLongestOption = sizeof(timeval);

void note_inherited(Socket& socket, int level, int name) {
    if (socket.is_ring()) return;
    for (std::size_t i = 0; i < std::size(kInherited); ++i) {
        if (kInherited[i].level != level || kInherited[i].name != name) continue;
        socket.options_set.store_relaxed(socket.options_set.load_relaxed() | 1U << i);
    }
}

// The peer's acknowledgements come at once, so states that wait for one are never seen.
std::uint8_t tcp_state(Stream& stream) {
    if (stream.is_over()) return TCP_CLOSE;
    const std::uint32_t status = stream.page().status.load_acquire();
    if ((status & kPeerFinSeen) != 0) return TCP_CLOSE_WAIT;
    return (status & kWriteShut) != 0 ? TCP_FIN_WAIT2 : TCP_ESTABLISHED;
}

// SIOCOUTQ. A peer's kernel acknowledges what its program has not read yet, as far as it has room for that.
std::uint64_t unacknowledged(const Stream& stream) {
    const EndPage& page = stream.page();
    const std::uint64_t window = page.ring_size_bytes[page.side] / 2;
    const std::uint64_t unread = stream.unsent_bytes();
    return unread > window ? unread - window : 0;
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

// What is sent without a copy is told of on the error queue, which a ring has not: its senders would wait.
int refuse_option(const Socket& socket, int level, int name) {
    const bool may_be_ring = socket.state() != SocketState::kernel;
    return level == SOL_SOCKET && name == SO_ZEROCOPY && may_be_ring ? EOPNOTSUPP : 0;
}

// What the kernel's accept would have done for a socket that it makes (net/core/sock.c, sk_clone_lock()).
void inherit_options(Socket& accepted, int fd, const Socket& listener, int listener_fd) {
    accepted.receive_timeout_ns.store_relaxed(listener.receive_timeout_ns.load_relaxed());
    accepted.send_timeout_ns.store_relaxed(listener.send_timeout_ns.load_relaxed());
    accepted.low_water_bytes.store_relaxed(listener.low_water_bytes.load_relaxed());
    accepted.abort_on_close.store_relaxed(listener.abort_on_close.load_relaxed());
    const std::uint32_t set = listener.options_set.load_relaxed();
    const int saved_errno = errno;
    accepted.options_set.store_relaxed(set);
    for (std::size_t i = 0; set >> i != 0; ++i) {
        if ((set >> i & 1) == 0) continue;
        char value[kLongestOption];
        socklen_t length = sizeof value;
        const InheritedOption& option = kInherited[i];
        if (real().getsockopt(listener_fd, option.level, option.name, value, &length) == 0)
            real().setsockopt(fd, option.level, option.name, value, length);
    }
    errno = saved_errno;
}

void note_option(Socket& socket, int level, int name, const void* value, socklen_t length) {
    note_inherited(socket, level, name);
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
        if (!read_value(value, length, how)) return;
        const bool aborts = how.l_onoff != 0 && how.l_linger == 0;
        note_number(socket.abort_on_close, page != nullptr ? &page->abort_on_close : nullptr, aborts ? 1 : 0);
    } else if (name == SO_RCVLOWAT) {
        int bytes = 0;
        if (!read_value(value, length, bytes)) return;
        note_number(socket.low_water_bytes, page != nullptr ? &page->low_water_bytes : nullptr,
                    static_cast<std::uint32_t>(std::max(bytes, 1)));
    }
}

void set_nonblocking(Socket& socket, bool nonblocking) {
    socket.nonblocking.store_relaxed(nonblocking ? 1 : 0);
    if (socket.is_ring()) socket.stream.page().nonblocking.store_relaxed(nonblocking ? 1 : 0);
}

bool get_queue_size(Socket& socket, unsigned long request, int* value) {
    if (request != FIONREAD && request != SIOCOUTQ) return false;
    if (value == nullptr) return false;
    *value = static_cast<int>(request == FIONREAD ? socket.stream.readable_bytes()
                                                  : unacknowledged(socket.stream));
    return true;
}

}  // namespace xylem
