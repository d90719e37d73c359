// Stand-ins, for kernels on which socket(AF_VSOCK) fails with EAFNOSUPPORT.
// A stand-in is an AF_UNIX datagram socket that is never named and never connected, so nobody can reach it:
// it has a number, O_NONBLOCK, SO_COOKIE and the options of level SOL_SOCKET, and poll(2) says of it what it
// says of an unconnected AF_VSOCK stream: POLLOUT. (AF_UNIX and TCP streams say POLLHUP, and could listen
// only under a name that strangers might connect to.) What a datagram socket would do otherwise is answered
// by this library: data calls fail with ENOTCONN, SO_DOMAIN and SO_TYPE say what the program made.
//
// Whoever gets the descriptor by exec() or SCM_RIGHTS must know it again, bound or not. So it is marked where
// the kernel keeps a number for the program that has no effect without MSG_PEEK: SO_PEEK_OFF, an option that
// AF_VSOCK does not have.
#include "guest-lib/vsock_fd.hpp"

#include <sys/socket.h>

#include "guest-lib/real_libc.hpp"
#include "vsock-transport/base/system_call.hpp"

namespace xylem {
namespace {

constexpr int kMark = 0x7673'6f6b;  // "vsok"

int number_option(int fd, int name) {
    int value = -1;
    socklen_t length = sizeof value;
    return real().getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0 ? value : -1;
}

}  // namespace

int make_vsock_fd(int type, int protocol, bool& is_stand_in) {
    is_stand_in = false;
    const int fd = real().socket(AF_VSOCK, type, protocol);
    if (fd >= 0 || errno != EAFNOSUPPORT) return fd;
    if (protocol != 0 && protocol != AF_VSOCK) return fail_errno_with(EPROTONOSUPPORT);
    const int made = real().socket(AF_UNIX, SOCK_DGRAM | (type & (SOCK_NONBLOCK | SOCK_CLOEXEC)), 0);
    if (made < 0) return made;
    is_stand_in = real().setsockopt(made, SOL_SOCKET, SO_PEEK_OFF, &kMark, sizeof kMark) == 0;
    if (is_stand_in) return made;
    system_call(SYS_close, made);
    return fail_errno_with(EAFNOSUPPORT);
}

bool is_stand_in_fd(int fd) {
    return number_option(fd, SO_DOMAIN) == AF_UNIX && number_option(fd, SO_PEEK_OFF) == kMark;
}

}  // namespace xylem
