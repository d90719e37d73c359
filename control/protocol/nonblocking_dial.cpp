// Dialling by non-blocking connect(2): with SOCK_NONBLOCK, a full queue is EAGAIN instead of a wait.
#include "control/protocol/nonblocking_dial.hpp"

#include <errno.h>

#include <utility>

#include "control/protocol/unix_address.hpp"

namespace xylem {

int dial_now(const char* path, UniqueFd& socket) {
    const auto address = unix_address(path);
    if (!address) return ENAMETOOLONG;
    UniqueFd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return errno;
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) return errno;
    socket = std::move(fd);
    return 0;
}

ucred peer_of(int socket) {
    ucred peer{0, ~0U, ~0U};
    socklen_t length = sizeof peer;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return {0, ~0U, ~0U};
    return peer;
}

}  // namespace xylem
