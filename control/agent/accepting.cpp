// Acceptor: keeps one descriptor in reserve for the time when there is no other.
#include "control/agent/accepting.hpp"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <utility>

namespace xylem::agent {
namespace {

UniqueFd open_reserve() { return UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

}  // namespace

Acceptor::Acceptor() : reserve_(open_reserve()) {}

void Acceptor::accept_from(int listening_fd, const std::function<void(UniqueFd)>& take, unsigned most) {
    for (unsigned i = 0; i < most; ++i) {
        UniqueFd connected(::accept4(listening_fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (connected) {
            take(std::move(connected));
            continue;
        }
        if (errno != EMFILE && errno != ENFILE) return;
        reserve_.reset();
        UniqueFd(::accept4(listening_fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)).reset();
        reserve_ = open_reserve();
    }
}

}  // namespace xylem::agent
