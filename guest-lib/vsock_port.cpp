// Socket: AF_VSOCK names. The agent owns the ports, since they are a domain's and the kernel's own are the
// machine's; the descriptor is bound in the kernel only where the kernel is to connect or listen.
// The checks and errors are af_vsock.c's: EINVAL, then the cid (EADDRNOTAVAIL), then the port (EACCES,
// EADDRINUSE). A cid that the kernel has and the domain has not makes the socket the kernel's for good.
#include <linux/capability.h>
#include <linux/vm_sockets.h>

#include "guest-lib/names.hpp"
#include "guest-lib/real_libc.hpp"
#include "guest-lib/session.hpp"
#include "guest-lib/socket.hpp"

namespace xylem {
namespace {

constexpr std::uint32_t kLastReserved = 1023;  // LAST_RESERVED_PORT

bool may_bind_reserved() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
    if (system_call(SYS_capget, word(&header), word(data)) != 0) return false;
    return (data[CAP_TO_INDEX(CAP_NET_BIND_SERVICE)].effective & CAP_TO_MASK(CAP_NET_BIND_SERVICE)) != 0;
}

}  // namespace

int Socket::ask_for_vsock_port(int fd, const SocketName& wanted, std::uint32_t flags) {
    BindMessage question{};
    question.cookie = cookie;
    question.local = wanted;
    question.flags = flags;
    Received answer;
    const auto asked = Session::self().ask(SessionMessage::bind, question, answer, &fd, 1);
    if (!asked) return fail_errno_with(EADDRNOTAVAIL);
    if (const auto* bound = answer_as<BoundMessage>(answer, SessionMessage::bound)) {
        vsock.bound = bound->local;
        return 0;
    }
    const auto* failed = answer_as<FailedMessage>(answer, SessionMessage::failed);
    const bool says_why = failed != nullptr && failed->sys_errno != 0;
    return fail_errno_with(says_why ? static_cast<int>(failed->sys_errno) : EADDRNOTAVAIL);
}

int Socket::bind_vsock(int fd, const sockaddr* address, socklen_t length) {
    if (state() == SocketState::kernel) return real().bind(fd, address, length);
    SocketName wanted;
    const bool is_named = to_socket_name(address, length, wanted) && wanted.family == AF_VSOCK;
    if (!is_named || state() != SocketState::fresh || vsock.bound.family != 0) return fail_errno_with(EINVAL);
    const bool has_agent = Session::self().map() != nullptr;
    const bool is_own = is_wildcard(wanted) || cid_of(wanted) == Session::self().own_domain();
    if (!has_agent || !is_own) {
        if (is_stand_in()) return fail_errno_with(EADDRNOTAVAIL);
        const int result = real().bind(fd, address, length);
        if (result == 0) set_state(SocketState::kernel);
        return result;
    }
    if (wanted.port <= kLastReserved && !may_bind_reserved()) return fail_errno_with(EACCES);
    return ask_for_vsock_port(fd, wanted, 0);
}

void Socket::bind_vsock_again(int fd) {
    if (vsock.bound.family != 0) ask_for_vsock_port(fd, vsock.bound, 0);
}

void Socket::recall_vsock_port(int fd) {
    ask_for_vsock_port(fd, vsock_name(VMADDR_CID_ANY, VMADDR_PORT_ANY), kBindRecall);
}

// A socket that was bound, or connects, keeps the name that it was bound to; an accepted one has its peer's
// word for it.
int Socket::get_vsock_name(int fd, sockaddr* address, socklen_t* length) {
    if (state() == SocketState::kernel) return real().getsockname(fd, address, length);
    if (address == nullptr || length == nullptr) return fail_errno_with(EFAULT);
    SocketName name = vsock_name(VMADDR_CID_ANY, VMADDR_PORT_ANY);
    if (vsock.bound.family != 0) {
        name = vsock.bound;
    } else if (is_ring()) {
        name = stream.page().local;
    }
    store_name(name, address, length);
    return 0;
}

}  // namespace xylem
