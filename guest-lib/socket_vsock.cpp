// Socket: connecting and listening with AF_VSOCK. The cid is the domain; no map is asked.
//   ring      cid N reaches domain N if it has an agent. VMADDR_CID_LOCAL (1) reaches the own domain if there
//             is no domain 1.
//   kernel    what has no agent is left to the kernel's vsock, if the descriptor is an AF_VSOCK socket; so is
//             whatever stands in the way of a ring to VMADDR_CID_LOCAL and VMADDR_CID_HOST, which mean
//             something to the kernel. For other cids a domain's agent has the last word: a kernel's cid of
//             the same number is another machine.
// There is no second transport behind a stand-in, so each reason has an errno: the one that af_vsock.c and
// its transports give where the same is the matter.
#include <linux/vm_sockets.h>

#include "guest-lib/names.hpp"
#include "guest-lib/real_libc.hpp"
#include "guest-lib/session.hpp"
#include "guest-lib/socket.hpp"

namespace xylem {
namespace {

// Whether nobody is there who could have taken the connection or refused it.
bool is_nobody(Reason why) { return why == Reason::no_agent || why == Reason::no_peer_agent; }

int errno_of(Reason why) {
    switch (why) {
        case Reason::no_agent:
        case Reason::no_peer_agent:
            return ENODEV;  // no transport, or no guest of that cid
        case Reason::agent_timeout:
            return ETIMEDOUT;
        case Reason::quota_reached:
        case Reason::no_memory:
            return ENOMEM;
        default:
            return ECONNRESET;  // refused: no listener, a full queue, the policy
    }
}

// The kernel's socket under the name that the program believes it has; if the machine's port is somebody
// else's, it gets another.
bool bind_in_kernel(int fd, const SocketName& name) {
    sockaddr_storage storage;
    const socklen_t length = to_sockaddr(name, storage);
    return real().bind(fd, reinterpret_cast<sockaddr*>(&storage), length) == 0;
}

}  // namespace

int Socket::connect_vsock_in_kernel(int fd, const SocketName& peer, Reason why) {
    const bool is_kernels = is_nobody(why) || cid_of(peer) <= VMADDR_CID_HOST;
    if (is_stand_in() || !is_kernels) return fail_errno_with(errno_of(why));
    if (vsock.bound.family != 0) bind_in_kernel(fd, vsock.bound);
    stay_on_tcp(fd, why, peer);
    sockaddr_storage storage;
    const socklen_t length = to_sockaddr(peer, storage);
    const int result = connect_in_kernel(fd, reinterpret_cast<sockaddr*>(&storage), length);
    if (result != 0 && errno != EINPROGRESS && errno != EINTR) {
        set_state(SocketState::fresh);
        if (errno == ENODEV) errno = errno_of(why);
    }
    return result;
}

int Socket::connect_vsock(int fd, const sockaddr* address, socklen_t length) {
    if (is_ring()) return fail_errno_with(EISCONN);
    if (state() == SocketState::kernel) return connect_in_kernel(fd, address, length);
    SocketName peer;
    const bool is_named = to_socket_name(address, length, peer) && peer.family == AF_VSOCK;
    if (!is_named || state() != SocketState::fresh) return fail_errno_with(EINVAL);
    Reason why = Reason::no_agent;
    if (Session::self().map() != nullptr && peer.port != VMADDR_PORT_ANY) {
        const SocketName anything = vsock_name(VMADDR_CID_ANY, VMADDR_PORT_ANY);
        if (vsock.bound.family == 0 && ask_for_vsock_port(fd, anything, 0) != 0) return -1;
        int result = ask_for_ring(fd, vsock.bound, peer, why);
        if (why == Reason::no_peer_agent && cid_of(peer) == VMADDR_CID_LOCAL) {
            result = ask_for_ring(fd, vsock.bound, vsock_name(Session::self().own_domain(), peer.port), why);
        }
        if (why == Reason::ring) return result;
    }
    return connect_vsock_in_kernel(fd, peer, why);
}

// The port is the agent's to give, so the kernel's own listener is an addition: it is there if the machine's
// port of that number is free.
int Socket::listen_vsock(int fd, int wanted_backlog) {
    if (state() == SocketState::kernel) return real().listen(fd, wanted_backlog);
    if (vsock.bound.family == 0) return fail_errno_with(EINVAL);
    if (is_stand_in()) return 0;
    if (state() == SocketState::fresh) vsock.kernel_listens = bind_in_kernel(fd, vsock.bound);
    if (vsock.kernel_listens) vsock.kernel_listens = real().listen(fd, wanted_backlog) == 0;
    return 0;
}

}  // namespace xylem
