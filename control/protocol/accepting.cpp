// Acceptor: keeps one descriptor in reserve for the time when there is no other.
#include "control/protocol/accepting.hpp"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

namespace xylem {
namespace {

UniqueFd open_reserve() { return UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

UniqueFd accept_now(int listening_fd) {
    return UniqueFd(::accept4(listening_fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

}  // namespace

Acceptor::Acceptor() : reserve_(open_reserve()) {}

bool Acceptor::next(int listening_fd, UniqueFd& connected) {
    connected = accept_now(listening_fd);
    if (connected) return true;
    if (errno != EMFILE && errno != ENFILE) return false;
    reserve_.reset();
    accept_now(listening_fd).reset();
    reserve_ = open_reserve();
    return true;
}

}  // namespace xylem
