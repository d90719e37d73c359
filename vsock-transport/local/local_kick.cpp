// Kicks by datagram. Theory: local_kick.hpp.
#include "vsock-transport/local/local_kick.hpp"

#include <poll.h>
#include <sys/socket.h>

#include "vsock-transport/base/clock.hpp"
#include "vsock-transport/base/sandbox.hpp"
#include "vsock-transport/base/system_call.hpp"

namespace xylem {
namespace {

// More than net.unix.max_dgram_qlen lets wait by default (10). Somebody who kicks as fast as we drain must
// not keep the waiter here; what is left only wakes it once more.
constexpr int kMostDrained = 64;

// write(2) has no flag that says "do not wait", so the look before it is for a waiter that took O_NONBLOCK
// off. One that fills the queue between the two calls stalls a process which has a sandbox because it serves
// that peer.
bool write_kick(int kicker_fd, const void* bytes, std::size_t size_bytes) {
    pollfd item{kicker_fd, POLLOUT, 0};
    timespec none{};
    if (system_call(SYS_ppoll, word(&item), 1, word(&none), 0, 0) != 1 || item.revents != POLLOUT)
        return false;
    const long wanted = static_cast<long>(size_bytes);
    return system_call(SYS_write, kicker_fd, word(bytes), wanted) == wanted;
}

bool kick(int kicker_fd, const void* bytes, std::size_t size_bytes) {
    if (is_sandboxed()) return write_kick(kicker_fd, bytes, size_bytes);
    const long wanted = static_cast<long>(size_bytes);
    return system_call(SYS_sendto, kicker_fd, word(bytes), wanted, MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0) ==
           wanted;
}

}  // namespace

Result<LocalBell> make_local_bell() {
    int pair[2] = {-1, -1};
    const long result =
        system_call(SYS_socketpair, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, word(pair));
    if (result < 0) return fail(ErrorKind::system, static_cast<int>(-result));
    return LocalBell{UniqueFd(pair[0]), UniqueFd(pair[1])};
}

bool kick_local(int kicker_fd) {
    const char byte = 0;
    return kick(kicker_fd, &byte, 1);
}

bool kick_relay(int kicker_fd, std::uint64_t token) { return kick(kicker_fd, &token, sizeof token); }

void drain_local(int waiter_fd) {
    char bytes[16];
    for (int i = 0; i < kMostDrained; ++i) {
        // The waiter's side is its own: nobody else can make it wait.
        const long got = is_sandboxed() ? system_call(SYS_read, waiter_fd, word(bytes), sizeof bytes)
                                        : system_call(SYS_recvfrom, waiter_fd, word(bytes), sizeof bytes,
                                                      MSG_DONTWAIT, 0, 0);
        if (got <= 0) return;
    }
}

}  // namespace xylem
