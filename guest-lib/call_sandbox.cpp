// prctl and setrlimit, for programs that lock themselves in: a seccomp filter (base/sandbox.hpp), and no
// descriptors any more. Before either, each peer domain that the program has connections with gets a doorbell
// to be woken by; afterwards none could be made. Filters that an image begins with, as those of a service
// manager, are made for programs in general and allow what the library does.
#include <linux/seccomp.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "guest-lib/bells.hpp"
#include "guest-lib/enabled.hpp"
#include "guest-lib/real_libc.hpp"
#include "guest-lib/socket.hpp"
#include "vsock-transport/base/sandbox.hpp"

using namespace xylem;

namespace {

constexpr rlim_t kEnoughDescriptors = 64;  // a limit above it does not mean "no more"

void make_bells() {
    if (!is_enabled() || is_sandboxed() || !is_own_process()) return;
    const int saved_errno = errno;
    for (int fd = next_entry(0, ~0U); fd >= 0; fd = next_entry(static_cast<unsigned>(fd) + 1, ~0U)) {
        const Ref<Socket> socket = ring_socket(fd);
        if (!socket) continue;
        OwnBell* bell = take_bell(socket->stream.page().peer_domain);
        if (bell != nullptr) give_back(bell);
    }
    errno = saved_errno;
}

void before_limit(int resource, const rlimit* limits) {
    if (resource == RLIMIT_NOFILE && limits != nullptr && limits->rlim_cur < kEnoughDescriptors) make_bells();
}

}  // namespace

XYLEM_EXPORT(int, prctl, (int option, ...)) {
    va_list arguments;
    va_start(arguments, option);
    unsigned long words[4];
    for (unsigned long& argument : words) argument = va_arg(arguments, unsigned long);
    va_end(arguments);
    const bool is_filter = option == PR_SET_SECCOMP && words[0] == SECCOMP_MODE_FILTER && is_enabled();
    if (is_filter) make_bells();
    if (is_filter && is_own_process() && !is_sandboxed()) relay_kicks();
    const int result = real().prctl(option, words[0], words[1], words[2], words[3]);
    if (is_filter && result == 0 && is_own_process()) note_sandbox();
    return result;
}

XYLEM_EXPORT(int, setrlimit, (int resource, const rlimit* limits)) {
    before_limit(resource, limits);
    return real().setrlimit(resource, limits);
}

XYLEM_EXPORT(int, setrlimit64, (int resource, const rlimit* limits)) {
    static_assert(sizeof(rlimit) == sizeof(rlimit64));
    before_limit(resource, limits);
    return real().setrlimit64(resource, limits);
}
