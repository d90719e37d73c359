// TcpWire. It waits to be writable only after it took less than it was offered.
#include "rdma-bridge/tcp_wire.hpp"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include <algorithm>

#include "rdma-bridge/node_name.hpp"

namespace xylem::bridge {
namespace {

constexpr int kProbeSeconds = 1;
constexpr unsigned kSilenceMs = 4000;

}  // namespace

TcpWire::TcpWire(Poller& poller, UniqueFd socket, bool is_dialled)
    : poller_(poller), socket_(std::move(socket)), is_connecting_(is_dialled), waits_to_write_(is_dialled) {
    const int yes = 1;
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    // A node that is switched off says nothing; the kernel finds out within kSilenceMs.
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_KEEPIDLE, &kProbeSeconds, sizeof kProbeSeconds);
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_KEEPINTVL, &kProbeSeconds, sizeof kProbeSeconds);
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, &kSilenceMs, sizeof kSilenceMs);
}

TcpWire::~TcpWire() { shut(true); }

void TcpWire::begin(Events events) {
    events_ = std::move(events);
    poller_.add(socket_.get(), waits_to_write_ ? EPOLLIN | EPOLLOUT : EPOLLIN,
                [this](std::uint32_t ready) { on_ready(ready); });
    if (!is_connecting_) events_.on_connected();
}

void TcpWire::on_ready(std::uint32_t events) {
    ++counters_.events;
    if (is_connecting_) {
        int error = 0;
        socklen_t length = sizeof error;
        ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &length);
        if (error != 0) return fail(::strerrordesc_np(error));
        if ((events & EPOLLOUT) == 0) return;
        is_connecting_ = false;
        events_.on_connected();
    }
    if ((events & EPOLLOUT) != 0 && !is_shut_) {
        watch_writing(false);
        events_.on_writable();
    }
    if (!is_shut_) events_.on_readable();
}

std::size_t TcpWire::send(const iovec* parts, int count) {
    if (is_shut_ || is_connecting_) return 0;
    std::size_t wanted = 0;
    for (int i = 0; i < count; ++i) wanted += parts[i].iov_len;
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(parts);
    message.msg_iovlen = static_cast<std::size_t>(count);
    ssize_t done = 0;
    do {
        done = ::sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (done < 0 && errno == EINTR);
    if (done < 0 && errno != EAGAIN) {
        fail(::strerrordesc_np(errno));
        return 0;
    }
    const auto sent = static_cast<std::size_t>(std::max<ssize_t>(done, 0));
    counters_.sent += sent > 0 ? 1 : 0;
    watch_writing(sent < wanted);
    return sent;
}

std::size_t TcpWire::receive(std::byte* bytes, std::size_t room_bytes) {
    if (is_shut_) return 0;
    const ssize_t got = ::recv(socket_.get(), bytes, room_bytes, MSG_DONTWAIT);
    if (got > 0) {
        ++counters_.received;
        return static_cast<std::size_t>(got);
    }
    if (got == 0) {
        fail("closed by the other node");
    } else if (errno != EAGAIN && errno != EINTR) {
        fail(::strerrordesc_np(errno));
    }
    return 0;
}

SocketName TcpWire::peer_name() const { return name_by(::getpeername); }

SocketName TcpWire::own_name() const { return name_by(::getsockname); }

SocketName TcpWire::name_by(int (*ask)(int, sockaddr*, socklen_t*)) const {
    NodeAddress found;
    found.length = sizeof found.storage;
    auto* address = reinterpret_cast<sockaddr*>(&found.storage);
    return ask(socket_.get(), address, &found.length) == 0 ? name_of(found) : SocketName{};
}

void TcpWire::watch_writing(bool wanted) {
    if (wanted == waits_to_write_ || is_shut_) return;
    waits_to_write_ = wanted;
    poller_.change(socket_.get(), wanted ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void TcpWire::shut(bool) {
    if (std::exchange(is_shut_, true)) return;
    poller_.remove(socket_.get());
    ::shutdown(socket_.get(), SHUT_RDWR);
}

void TcpWire::fail(const std::string& why) {
    if (is_shut_) return;
    shut(false);
    events_.on_broken(why);
}

}  // namespace xylem::bridge
