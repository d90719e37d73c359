// The epoll family. A set that never meets a ring socket or an offered listener is the kernel's alone.
#include "guest-lib/cancellation.hpp"
#include "guest-lib/enabled.hpp"
#include "guest-lib/epoll_set.hpp"
#include "guest-lib/real_libc.hpp"
#include "guest-lib/timeout.hpp"

using namespace xylem;

namespace {

int note_set(int fd) {
    if (fd < 0 || !is_enabled()) return fd;
    const int saved_errno = errno;
    EpollSet::adopt_fd(fd);
    errno = saved_errno;
    return fd;
}

// For those that sleep, which are cancellation points.
Ref<EpollSet> waited_set(int fd) {
    if (peek(fd) == nullptr) return {};
    may_be_cancelled();
    return find<EpollSet>(fd);
}

}  // namespace

XYLEM_EXPORT(int, epoll_create, (int size)) { return note_set(real().epoll_create(size)); }

XYLEM_EXPORT(int, epoll_create1, (int flags)) { return note_set(real().epoll_create1(flags)); }

XYLEM_EXPORT(int, epoll_ctl, (int set_fd, int operation, int fd, epoll_event* event)) {
    if (Ref<EpollSet> set = find<EpollSet>(set_fd)) return set->control(set_fd, operation, fd, event);
    return real().epoll_ctl(set_fd, operation, fd, event);
}

XYLEM_EXPORT(int, epoll_wait, (int set_fd, epoll_event* events, int room, int timeout_ms)) {
    if (Ref<EpollSet> set = waited_set(set_fd)) {
        return set->wait(set_fd, events, room, timeout_of_ms(timeout_ms), nullptr);
    }
    return real().epoll_wait(set_fd, events, room, timeout_ms);
}

XYLEM_EXPORT(int, epoll_pwait,
             (int set_fd, epoll_event* events, int room, int timeout_ms, const sigset_t* mask)) {
    if (Ref<EpollSet> set = waited_set(set_fd)) {
        return set->wait(set_fd, events, room, timeout_of_ms(timeout_ms), mask);
    }
    return real().epoll_pwait(set_fd, events, room, timeout_ms, mask);
}

XYLEM_EXPORT(int, epoll_pwait2,
             (int set_fd, epoll_event* events, int room, const timespec* timeout, const sigset_t* mask)) {
    Ref<EpollSet> set = waited_set(set_fd);
    if (!set) return real().epoll_pwait2(set_fd, events, room, timeout, mask);
    std::uint64_t timeout_ns;
    if (!to_timeout_ns(timeout, timeout_ns)) return fail_errno_with(EINVAL);
    return set->wait(set_fd, events, room, timeout_ns, mask);
}
