// poll, ppoll, select, pselect. select is poll over the set bits; descriptors above FD_SETSIZE work, as they
// do in the kernel, for programs that bring larger sets.
#include <sys/mman.h>

#include <cstring>

#include "guest-lib/poll_wait.hpp"
#include "guest-lib/real_libc.hpp"
#include "guest-lib/select_set.hpp"
#include "guest-lib/timeout.hpp"

using namespace xylem;

XYLEM_EXPORT(int, poll, (pollfd * items, nfds_t count, int timeout_ms)) {
    if (!needs_plan(items, count)) return real().poll(items, count, timeout_ms);
    return poll_mixed(items, count, timeout_of_ms(timeout_ms), nullptr);
}

XYLEM_EXPORT(int, ppoll, (pollfd * items, nfds_t count, const timespec* timeout, const sigset_t* mask)) {
    if (!needs_plan(items, count)) return real().ppoll(items, count, timeout, mask);
    std::uint64_t timeout_ns;
    if (!to_timeout_ns(timeout, timeout_ns)) return fail_errno_with(EINVAL);
    return poll_mixed(items, count, timeout_ns, mask);
}

XYLEM_EXPORT(int, pselect,
             (int count, fd_set* in, fd_set* out, fd_set* error, const timespec* timeout,
              const sigset_t* mask)) {
    SelectSet sets(count, in, out, error);
    if (!sets.has_ours()) return real().pselect(count, in, out, error, timeout, mask);
    std::uint64_t timeout_ns;
    if (!to_timeout_ns(timeout, timeout_ns)) return fail_errno_with(EINVAL);
    return sets.wait(timeout_ns, mask);
}

XYLEM_EXPORT(int, select, (int count, fd_set* in, fd_set* out, fd_set* error, timeval* timeout)) {
    SelectSet sets(count, in, out, error);
    if (!sets.has_ours()) return real().select(count, in, out, error, timeout);
    if (timeout == nullptr) return sets.wait(kForever, nullptr);
    constexpr suseconds_t kUsPerSecond = 1'000'000;
    const timespec wanted{timeout->tv_sec + timeout->tv_usec / kUsPerSecond,
                          timeout->tv_usec % kUsPerSecond * 1000};
    std::uint64_t timeout_ns;
    if (!to_timeout_ns(&wanted, timeout_ns)) return fail_errno_with(EINVAL);
    const std::uint64_t begin_ns = now_ns();
    const int result = sets.wait(timeout_ns, nullptr);
    if (timeout_ns == 0) return result;
    const std::uint64_t spent_ns = now_ns() - begin_ns;  // Linux tells what is left (select(2))
    const std::uint64_t left_ns = spent_ns < timeout_ns ? timeout_ns - spent_ns : 0;
    timeout->tv_sec = static_cast<time_t>(left_ns / kNsPerSecond);
    timeout->tv_usec = static_cast<suseconds_t>(left_ns % kNsPerSecond / kNsPerUs);
    return result;
}
