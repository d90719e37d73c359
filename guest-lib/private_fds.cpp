// A bitmap of private descriptor numbers, lock-free since close() of any descriptor may look into it.
#include "guest-lib/private_fds.hpp"

#include <fcntl.h>
#include <sys/resource.h>

#include "vsock-transport/base/atomic.hpp"

namespace xylem {
namespace {

constexpr unsigned kTracked = 1U << 20;  // the kernel's default ceiling for descriptor numbers (nr_open)
constexpr unsigned kHeadroom = 512;
constinit AtomicU64 bitmap[kTracked / 64];
constinit AtomicU32 any;

bool is_tracked(int fd) { return fd >= 0 && static_cast<unsigned>(fd) < kTracked; }

long duplicate_high(int fd) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const long soft = static_cast<long>(limit.rlim_cur < kTracked ? limit.rlim_cur : kTracked);
    const long lowest = soft > 2 * long{kHeadroom} ? soft - kHeadroom : soft / 2;
    return system_call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, lowest);
}

UniqueFd note(UniqueFd fd) {
    if (is_tracked(fd.get())) {
        any.store_relaxed(1);
        bitmap[fd.get() / 64].fetch_or(1ULL << (fd.get() % 64));
    }
    return fd;
}

}  // namespace

UniqueFd make_private(UniqueFd fd) {
    const long moved = duplicate_high(fd.get());
    if (moved >= 0) fd.reset(static_cast<int>(moved));
    return note(std::move(fd));
}

UniqueFd duplicate_private(int fd) {
    const long made = duplicate_high(fd);
    return made < 0 ? UniqueFd() : note(UniqueFd(static_cast<int>(made)));
}

void close_private(UniqueFd& fd) {
    if (!fd) return;
    if (is_tracked(fd.get())) bitmap[fd.get() / 64].fetch_and(~(1ULL << (fd.get() % 64)));
    fd.reset();
}

bool is_private(int fd) {
    if (any.load_relaxed() == 0 || !is_tracked(fd)) return false;
    return (bitmap[fd / 64].load_relaxed() >> (fd % 64) & 1) != 0;
}

int next_private(unsigned from, unsigned to) {
    if (any.load_relaxed() == 0) return -1;
    if (to >= kTracked) to = kTracked - 1;
    for (unsigned fd = from; fd <= to;) {
        const std::uint64_t bits = bitmap[fd / 64].load_relaxed() >> (fd % 64);
        if (bits != 0) {
            fd += static_cast<unsigned>(__builtin_ctzll(bits));
            return fd <= to ? static_cast<int>(fd) : -1;
        }
        fd = (fd / 64 + 1) * 64;
    }
    return -1;
}

}  // namespace xylem
