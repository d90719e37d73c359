// Socket: birth and end of the library's object, and what closing does.
// When the last descriptor of this process is closed and the last call is out of the socket, the end is
// closed if no other process may hold it (the count in the end page says so, and fork holds the session's
// lock while it changes), and then the agent is told, which does the same for a process that died before it
// could. Memory is unmapped then.
#include <netinet/in.h>

#include "guest-lib/arrivals.hpp"
#include "guest-lib/pool.hpp"
#include "guest-lib/private_fds.hpp"
#include "guest-lib/real_libc.hpp"
#include "guest-lib/session.hpp"
#include "guest-lib/session_page.hpp"
#include "guest-lib/socket.hpp"

namespace xylem {
namespace {

constinit Pool<Socket> sockets;

std::uint64_t cookie_of(int fd) {
    std::uint64_t cookie = 0;
    socklen_t length = sizeof cookie;
    real().getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length);
    return cookie;
}

}  // namespace

Socket* Socket::adopt_fd(int fd, int family) {
    Socket* socket = sockets.take();
    if (socket == nullptr) return nullptr;
    socket->family = family;
    socket->first_fd = fd;
    socket->cookie = cookie_of(fd);
    if (enter(fd, socket)) return socket;
    sockets.give(socket);
    return nullptr;
}

void Socket::recycle(Socket* socket) {
    socket->stream = Stream();
    close_private(socket->queue);
    sockets.give(socket);
}

void Socket::on_last_close() {
    Session& session = Session::self();
    if (state() == SocketState::ring) {
        const bool aborts = stream.page().abort_on_close.load_relaxed() != 0;
        const ReleaseMode mode = aborts ? ReleaseMode::abort : ReleaseMode::orderly;
        if (mode != ReleaseMode::orderly || !keep_end(*this)) session.release_end(*this, mode);
    } else if (state() == SocketState::listening) {
        if (arrivals() != nullptr) arrivals()->close();
        arrivals_word.store_release(nullptr);
        close_private(kernel);  // before the agent looks whether the kernel socket is still somewhere
        IdMessage message{};
        message.id = listener_id;
        session.tell(SessionMessage::unlisten, message);
    }
    if (vsock.bound.family != 0) {
        IdMessage message{};
        message.id = cookie;
        session.tell(SessionMessage::unbind, message);
    }
    clear_record(session.page(), record);
    record = -1;
}

void reset_socket_locks() { sockets.reset_lock(); }

}  // namespace xylem
