// SOCK_SEQPACKET by system calls. Theory: seqpacket.hpp.
#include "control/protocol/seqpacket.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "vsock-transport/base/clock.hpp"
#include "vsock-transport/base/system_call.hpp"

namespace xylem {
namespace {

tl::unexpected<Error> failure(long result) {
    if (result == -EAGAIN) return fail(ErrorKind::would_block, EAGAIN);
    if (result == -EPIPE || result == -ECONNRESET) return fail(ErrorKind::closed, static_cast<int>(-result));
    return fail(ErrorKind::system, static_cast<int>(-result));
}

// For as many as can come: the kernel itself would close those without room, and whoever reads would wait.
constexpr std::size_t kControlBytes = CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(kMostSentFds * sizeof(int));

void take_control(msghdr& header, Received& message) {
    for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
        if (c->cmsg_level != SOL_SOCKET) continue;
        if (c->cmsg_type == SCM_CREDENTIALS && c->cmsg_len >= CMSG_LEN(sizeof(ucred))) {
            ucred credentials;
            std::memcpy(&credentials, CMSG_DATA(c), sizeof credentials);
            message.pid = credentials.pid;
            message.uid = credentials.uid;
        }
        if (c->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd;
            std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
            if (message.fd_count < kMaxMessageFds)
                message.fds[message.fd_count++].reset(fd);
            else if (message.surplus_count < kMostSentFds - kMaxMessageFds)
                message.surplus[message.surplus_count++].reset(fd);
        }
    }
}

}  // namespace

Result<std::size_t> send_message(int socket, const void* message, std::size_t size_bytes, const int* fds,
                                 unsigned fd_count) {
    iovec piece{const_cast<void*>(message), size_bytes};
    alignas(cmsghdr) char control[CMSG_SPACE(kMaxMessageFds * sizeof(int))] = {};
    msghdr header{};
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    if (fd_count > 0 && fd_count <= kMaxMessageFds) {
        header.msg_control = control;
        header.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        cmsghdr* rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        std::memcpy(CMSG_DATA(rights), fds, fd_count * sizeof(int));
    }
    const long sent = system_call(SYS_sendmsg, socket, word(&header), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) return failure(sent);
    return static_cast<std::size_t>(sent);
}

Result<std::size_t> receive_message(int socket, Received& message) {
    message.fd_count = 0;
    message.surplus_count = 0;
    message.size_bytes = 0;
    iovec piece{message.bytes, sizeof message.bytes};
    alignas(cmsghdr) char control[kControlBytes] = {};
    msghdr header{};
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    const long got = system_call(SYS_recvmsg, socket, word(&header), MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0) return failure(got);
    take_control(header, message);
    if (got == 0) return fail(ErrorKind::closed);
    if ((header.msg_flags & MSG_TRUNC) != 0) return fail(ErrorKind::bad_layout);
    message.size_bytes = static_cast<std::size_t>(got);
    return message.size_bytes;
}

Result<std::size_t> wait_readable(int socket, std::uint64_t deadline_ns) {
    pollfd item{socket, POLLIN, 0};
    const std::uint64_t now = now_ns();
    timespec left = to_timespec(deadline_ns > now ? deadline_ns - now : 0);
    const long ready = system_call(SYS_ppoll, word(&item), 1, word(&left), 0, 0);
    if (ready < 0) return fail(ErrorKind::system, static_cast<int>(-ready));
    if (ready == 0) return fail(ErrorKind::would_block);
    return 1;
}

Result<UniqueFd> dial(const char* path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::size_t length = std::strlen(path);
    if (length >= sizeof address.sun_path) return fail(ErrorKind::out_of_range);
    std::memcpy(address.sun_path, path, length);
    const long made = system_call(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (made < 0) return failure(made);
    UniqueFd fd(static_cast<int>(made));
    const long result = system_call(SYS_connect, fd.get(), word(&address), sizeof address);
    if (result < 0) return fail(ErrorKind::system, static_cast<int>(-result));
    return fd;
}

}  // namespace xylem
