// syscall(): programs that number their system calls themselves. A number that one of our calls stands for,
// on a descriptor of ours, goes to that call; everything else goes straight to the kernel, as libc's
// syscall() does. Closing and moving descriptors always comes to our calls, which also keep the library's own
// descriptors out of reach; so does making sockets and sets.
//
// The kernel takes the signal mask of ppoll, pselect6 and epoll_pwait with its size, and writes back into
// the time-out of ppoll and pselect6 what is left of it, which libc's calls do not.
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "guest-lib/fd_table.hpp"
#include "guest-lib/poll_wait.hpp"
#include "guest-lib/real_libc.hpp"
#include "guest-lib/run.hpp"
#include "guest-lib/select_set.hpp"
#include "vsock-transport/base/clock.hpp"
#include "vsock-transport/base/system_call.hpp"

using namespace xylem;

namespace {

using Words = const long (&)[6];
using Call = long (*)(Words);
constexpr long kNumbers = 512;
constexpr long kKernelMaskBytes = sizeof(std::uint64_t);

template <class T>
T* pointer(long word) {
    return reinterpret_cast<T*>(word);
}
int number(long word) { return static_cast<int>(word); }
auto length(long word) { return pointer<socklen_t>(word); }
auto name(long word) { return pointer<sockaddr>(word); }
auto size(long word) { return static_cast<std::size_t>(word); }

// Runs wait(timeout), then writes into the program's time-out what is left.
template <class Wait>
int with_time_left(timespec* timeout, Wait wait) {
    if (timeout == nullptr) return wait(nullptr);
    const timespec wanted = *timeout;
    const std::uint64_t begin_ns = now_ns();
    const int result = wait(&wanted);
    const int saved_errno = errno;
    const std::uint64_t spent_ns = now_ns() - begin_ns;
    const auto wanted_ns =
        static_cast<std::uint64_t>(wanted.tv_sec) * kNsPerSecond + static_cast<std::uint64_t>(wanted.tv_nsec);
    if (wanted.tv_sec >= 0) *timeout = to_timespec(spent_ns < wanted_ns ? wanted_ns - spent_ns : 0);
    errno = saved_errno;
    return result;
}

bool is_mask(long mask, long bytes) { return mask == 0 || bytes == kKernelMaskBytes; }

long ppoll_words(Words w) {
    auto* items = pointer<pollfd>(w[0]);
    const auto count = static_cast<nfds_t>(w[1]);
    if (!needs_plan(items, count)) return to_libc(system_call(SYS_ppoll, w[0], w[1], w[2], w[3], w[4]));
    if (!is_mask(w[3], w[4])) return fail_errno_with(EINVAL);
    return with_time_left(pointer<timespec>(w[2]), [&](const timespec* timeout) {
        return ::ppoll(items, count, timeout, pointer<const sigset_t>(w[3]));
    });
}

long pselect_words(Words w) {
    struct MaskAndSize {
        const sigset_t* mask;
        long bytes;
    };
    auto* in = pointer<fd_set>(w[1]);
    auto* out = pointer<fd_set>(w[2]);
    auto* error = pointer<fd_set>(w[3]);
    if (!SelectSet(number(w[0]), in, out, error).has_ours()) {
        return to_libc(system_call(SYS_pselect6, w[0], w[1], w[2], w[3], w[4], w[5]));
    }
    const auto* mask = pointer<const MaskAndSize>(w[5]);
    if (mask != nullptr && !is_mask(word(mask->mask), mask->bytes)) return fail_errno_with(EINVAL);
    return with_time_left(pointer<timespec>(w[4]), [&](const timespec* timeout) {
        return ::pselect(number(w[0]), in, out, error, timeout, mask != nullptr ? mask->mask : nullptr);
    });
}

long epoll_pwait_words(Words w) {
    if (!is_mask(w[4], w[5])) return fail_errno_with(EINVAL);
    return ::epoll_pwait(number(w[0]), pointer<epoll_event>(w[1]), number(w[2]), number(w[3]),
                         pointer<const sigset_t>(w[4]));
}

long epoll_pwait2_words(Words w) {
    if (!is_mask(w[4], w[5])) return fail_errno_with(EINVAL);
    return ::epoll_pwait2(number(w[0]), pointer<epoll_event>(w[1]), number(w[2]),
                          pointer<const timespec>(w[3]), pointer<const sigset_t>(w[4]));
}

// Whether the number goes to a call whatever its arguments are, or only if the first names something of ours.
enum class When : std::uint8_t { ours, always };
struct Route {
    Call call = nullptr;
    When when = When::ours;
};
struct Routes {
    Route at[kNumbers];
    constexpr void add(long call_number, Call call, When when = When::ours) {
        at[call_number] = {call, when};
    }
};

constexpr void add_data_calls(Routes& routes) {
    routes.add(SYS_read,
               [](Words w) -> long { return ::read(number(w[0]), pointer<void>(w[1]), size(w[2])); });
    routes.add(SYS_write,
               [](Words w) -> long { return ::write(number(w[0]), pointer<void>(w[1]), size(w[2])); });
    routes.add(SYS_readv,
               [](Words w) -> long { return ::readv(number(w[0]), pointer<iovec>(w[1]), number(w[2])); });
    routes.add(SYS_writev,
               [](Words w) -> long { return ::writev(number(w[0]), pointer<iovec>(w[1]), number(w[2])); });
    routes.add(SYS_recvfrom, [](Words w) -> long {
        return ::recvfrom(number(w[0]), pointer<void>(w[1]), size(w[2]), number(w[3]), name(w[4]),
                          length(w[5]));
    });
    routes.add(SYS_sendto, [](Words w) -> long {
        return ::sendto(number(w[0]), pointer<void>(w[1]), size(w[2]), number(w[3]), name(w[4]),
                        static_cast<socklen_t>(w[5]));
    });
    routes.add(
        SYS_recvmsg,
        [](Words w) -> long { return ::recvmsg(number(w[0]), pointer<msghdr>(w[1]), number(w[2])); },
        When::always);
    routes.add(
        SYS_sendmsg,
        [](Words w) -> long { return ::sendmsg(number(w[0]), pointer<msghdr>(w[1]), number(w[2])); },
        When::always);
    routes.add(
        SYS_recvmmsg,
        [](Words w) -> long {
            return ::recvmmsg(number(w[0]), pointer<mmsghdr>(w[1]), static_cast<unsigned>(w[2]), number(w[3]),
                              pointer<timespec>(w[4]));
        },
        When::always);
    routes.add(
        SYS_sendmmsg,
        [](Words w) -> long {
            return ::sendmmsg(number(w[0]), pointer<mmsghdr>(w[1]), static_cast<unsigned>(w[2]),
                              number(w[3]));
        },
        When::always);
    routes.add(SYS_sendfile, [](Words w) -> long {
        return ::sendfile64(number(w[0]), number(w[1]), pointer<off64_t>(w[2]), size(w[3]));
    });
    const Call splice_words = [](Words w) -> long {
        return ::splice(number(w[0]), pointer<off64_t>(w[1]), number(w[2]), pointer<off64_t>(w[3]),
                        size(w[4]), static_cast<unsigned>(w[5]));
    };
    routes.add(SYS_splice, splice_words, When::always);
}

constexpr void add_socket_calls(Routes& routes) {
    routes.add(
        SYS_socket, [](Words w) -> long { return ::socket(number(w[0]), number(w[1]), number(w[2])); },
        When::always);
    routes.add(SYS_bind, [](Words w) -> long {
        return ::bind(number(w[0]), name(w[1]), static_cast<socklen_t>(w[2]));
    });
    routes.add(SYS_listen, [](Words w) -> long { return ::listen(number(w[0]), number(w[1])); });
    routes.add(SYS_accept, [](Words w) -> long { return ::accept(number(w[0]), name(w[1]), length(w[2])); });
    routes.add(SYS_accept4, [](Words w) -> long {
        return ::accept4(number(w[0]), name(w[1]), length(w[2]), number(w[3]));
    });
    routes.add(SYS_connect, [](Words w) -> long {
        return ::connect(number(w[0]), name(w[1]), static_cast<socklen_t>(w[2]));
    });
    routes.add(SYS_shutdown, [](Words w) -> long { return ::shutdown(number(w[0]), number(w[1])); });
    routes.add(SYS_getsockname,
               [](Words w) -> long { return ::getsockname(number(w[0]), name(w[1]), length(w[2])); });
    routes.add(SYS_getpeername,
               [](Words w) -> long { return ::getpeername(number(w[0]), name(w[1]), length(w[2])); });
    routes.add(SYS_getsockopt, [](Words w) -> long {
        return ::getsockopt(number(w[0]), number(w[1]), number(w[2]), pointer<void>(w[3]), length(w[4]));
    });
    routes.add(SYS_setsockopt, [](Words w) -> long {
        return ::setsockopt(number(w[0]), number(w[1]), number(w[2]), pointer<void>(w[3]),
                            static_cast<socklen_t>(w[4]));
    });
}

constexpr void add_descriptor_calls(Routes& routes) {
    routes.add(
        SYS_close, [](Words w) -> long { return ::close(number(w[0])); }, When::always);
    routes.add(
        SYS_close_range,
        [](Words w) -> long {
            return ::close_range(static_cast<unsigned>(w[0]), static_cast<unsigned>(w[1]), number(w[2]));
        },
        When::always);
    routes.add(SYS_dup, [](Words w) -> long { return ::dup(number(w[0])); });
    routes.add(
        SYS_dup3, [](Words w) -> long { return ::dup3(number(w[0]), number(w[1]), number(w[2])); },
        When::always);
    routes.add(SYS_fcntl, [](Words w) -> long { return ::fcntl(number(w[0]), number(w[1]), w[2]); });
    routes.add(SYS_ioctl, [](Words w) -> long {
        return ::ioctl(number(w[0]), static_cast<unsigned long>(w[1]), pointer<void>(w[2]));
    });
}

// Sockets that a program hands to io_uring are not seen; that it has one is.
long io_uring_setup_words(Words w) {
    const long result = to_libc(system_call(SYS_io_uring_setup, w[0], w[1]));
    if (result >= 0 && is_watched()) report_bypass(Reason::io_uring, program_invocation_name);
    return result;
}

constexpr void add_waiting_calls(Routes& routes) {
    routes.add(SYS_ppoll, ppoll_words, When::always);
    routes.add(SYS_pselect6, pselect_words, When::always);
    routes.add(
        SYS_epoll_create1, [](Words w) -> long { return ::epoll_create1(number(w[0])); }, When::always);
    routes.add(SYS_epoll_ctl, [](Words w) -> long {
        return ::epoll_ctl(number(w[0]), number(w[1]), number(w[2]), pointer<epoll_event>(w[3]));
    });
    routes.add(SYS_epoll_pwait, epoll_pwait_words);
    routes.add(SYS_epoll_pwait2, epoll_pwait2_words);
    routes.add(SYS_io_uring_setup, io_uring_setup_words, When::always);
#if defined(__x86_64__)  // younger architectures have none of these
    routes.add(
        SYS_dup2, [](Words w) -> long { return ::dup2(number(w[0]), number(w[1])); }, When::always);
    routes.add(
        SYS_poll,
        [](Words w) -> long {
            return ::poll(pointer<pollfd>(w[0]), static_cast<nfds_t>(w[1]), number(w[2]));
        },
        When::always);
    routes.add(
        SYS_select,
        [](Words w) -> long {
            return ::select(number(w[0]), pointer<fd_set>(w[1]), pointer<fd_set>(w[2]), pointer<fd_set>(w[3]),
                            pointer<timeval>(w[4]));
        },
        When::always);
    routes.add(
        SYS_epoll_create, [](Words w) -> long { return ::epoll_create(number(w[0])); }, When::always);
    routes.add(SYS_epoll_wait, [](Words w) -> long {
        return ::epoll_wait(number(w[0]), pointer<epoll_event>(w[1]), number(w[2]), number(w[3]));
    });
#endif
}

constexpr Routes make_routes() {
    Routes routes;
    add_data_calls(routes);
    add_socket_calls(routes);
    add_descriptor_calls(routes);
    add_waiting_calls(routes);
    return routes;
}

constexpr Routes kRoutes = make_routes();

bool is_routed(const Route& route, Words words) {
    if (route.call == nullptr) return false;
    return route.when == When::always || peek(number(words[0])) != nullptr;
}

}  // namespace

XYLEM_EXPORT(long, syscall, (long number, ...)) {
    va_list arguments;
    va_start(arguments, number);
    long words[6];
    for (long& each : words) each = va_arg(arguments, long);
    va_end(arguments);
    if (number >= 0 && number < kNumbers && is_routed(kRoutes.at[number], words)) {
        return kRoutes.at[number].call(words);
    }
    return to_libc(system_call(number, words[0], words[1], words[2], words[3], words[4], words[5]));
}
