// Theory: cancellation.hpp. The handlers stand in functions of their own, since they are set up by setjmp.
#include "guest-lib/cancellation.hpp"

#include "guest-lib/bells.hpp"
#include "guest-lib/poll_wait.hpp"
#include "guest-lib/real_libc.hpp"
#include "guest-lib/socket.hpp"
#include "vsock-transport/base/clock.hpp"
#include "vsock-transport/base/sandbox.hpp"

namespace xylem {
namespace {

struct Held {
    Socket* socket;
    bool waits;
};

void give_up(void* context) {
    const Held held = *static_cast<Held*>(context);
    if (held.waits) withdraw_sleeper(held.socket->stream);
    drop(held.socket);
}

}  // namespace

long poll_cancellable(pollfd* items, nfds_t count, std::uint64_t timeout_ns, const sigset_t* mask) {
    if (is_sandboxed()) return poll_raw(items, count, timeout_ns, mask);  // no more descriptors than allowed
    const int saved_errno = errno;
    const timespec timeout = to_timespec(timeout_ns == kForever ? 0 : timeout_ns);
    const int ready = real().ppoll(items, count, timeout_ns == kForever ? nullptr : &timeout, mask);
    const long answer = ready < 0 ? -errno : ready;
    errno = saved_errno;
    // More items than the kernel takes: to be tried with less.
    return answer == -EINVAL ? poll_raw(items, count, timeout_ns, mask) : answer;
}

long sleep_holding(Socket& socket, bool waits, long (*sleep)(void*), void* context) {
    Held held{&socket, waits};
    long answer = 0;
    pthread_cleanup_push(give_up, &held);
    answer = sleep(context);
    pthread_cleanup_pop(0);
    return answer;
}

}  // namespace xylem
