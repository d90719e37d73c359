// Socket: readiness in the bits of poll(2) and epoll(7), which agree where both exist.
#include <poll.h>
#include <sys/epoll.h>

#include "guest-lib/socket.hpp"

namespace xylem {

static_assert(POLLIN == EPOLLIN && POLLOUT == EPOLLOUT && POLLERR == EPOLLERR && POLLHUP == EPOLLHUP);
static_assert(POLLRDHUP == EPOLLRDHUP && POLLRDNORM == EPOLLRDNORM && POLLWRNORM == EPOLLWRNORM);

short Socket::poll_events() {
    const Readiness ready = stream.readiness();
    int events = 0;
    if (ready.in) events |= POLLIN | POLLRDNORM;
    if (ready.out) events |= POLLOUT | POLLWRNORM;
    if (ready.read_hang_up) events |= POLLRDHUP;
    if (ready.hang_up) events |= POLLHUP;
    if (ready.error) events |= POLLERR;
    return static_cast<short>(events);
}

}  // namespace xylem
