// Unix datagram sockets: what the kernel says of a descriptor, whatever its sender called it.
#include "control/protocol/unix_datagram.hpp"

#include <sys/socket.h>

namespace xylem {
namespace {

int socket_option(int fd, int option) {
    int value = -1;
    socklen_t length = sizeof value;
    return ::getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0 ? value : -1;
}

}  // namespace

bool is_unix_datagram(int fd) {
    return socket_option(fd, SO_DOMAIN) == AF_UNIX && socket_option(fd, SO_TYPE) == SOCK_DGRAM;
}

}  // namespace xylem
