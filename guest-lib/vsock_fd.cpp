// Stand-ins, for kernels on which socket(AF_VSOCK) fails with EAFNOSUPPORT.
// A stand-in is an AF_UNIX datagram socket that is never named and never connected, so nobody can reach it:
// it has a number, O_NONBLOCK, SO_COOKIE and the options of level SOL_SOCKET, and poll(2) says of it what it
// says of an unconnected AF_VSOCK stream: POLLOUT. (AF_UNIX and TCP streams say POLLHUP, and could listen
// only under a name that strangers might connect to.) What a datagram socket would do otherwise is answered
// by this library: data calls fail with ENOTCONN, SO_DOMAIN and SO_TYPE say what the program made.
#include "guest-lib/vsock_fd.hpp"

#include <linux/vm_sockets.h>
#include <sys/un.h>

#include "guest-lib/real_libc.hpp"
#include "guest-lib/session.hpp"

namespace xylem {

int make_vsock_fd(int type, int protocol, bool& is_stand_in) {
    is_stand_in = false;
    const int fd = real().socket(AF_VSOCK, type, protocol);
    if (fd >= 0 || errno != EAFNOSUPPORT) return fd;
    // Without an agent nothing could be done with it: the kernel's answer stands.
    if (Session::self().map() == nullptr) return fail_errno_with(EAFNOSUPPORT);
    if (protocol != 0 && protocol != AF_VSOCK) return fail_errno_with(EPROTONOSUPPORT);
    is_stand_in = true;
    return real().socket(AF_UNIX, SOCK_DGRAM | (type & (SOCK_NONBLOCK | SOCK_CLOEXEC)), 0);
}

bool may_be_stand_in(int fd) {
    int type = -1;
    socklen_t type_length = sizeof type;
    if (real().getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_length) != 0 || type != SOCK_DGRAM)
        return false;
    sockaddr_un name{};
    socklen_t length = sizeof name;
    auto* address = reinterpret_cast<sockaddr*>(&name);
    if (real().getsockname(fd, address, &length) != 0 || name.sun_family != AF_UNIX) return false;
    if (length > sizeof(sa_family_t)) return false;  // it has a name
    length = sizeof name;
    return real().getpeername(fd, address, &length) != 0 && errno == ENOTCONN;
}

}  // namespace xylem
