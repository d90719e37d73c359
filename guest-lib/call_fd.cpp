// Calls that make, move, mark and close descriptors. The table follows the kernel; the library's own
// descriptors do not exist for the program.
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/vm_sockets.h>
#include <stdarg.h>
#include <sys/ioctl.h>

#include "guest-lib/cancellation.hpp"
#include "guest-lib/enabled.hpp"
#include "guest-lib/listener_flags.hpp"
#include "guest-lib/private_fds.hpp"
#include "guest-lib/real_libc.hpp"
#include "guest-lib/socket.hpp"
#include "guest-lib/socket_options.hpp"

using namespace xylem;

namespace {

// Enters `made` as one more descriptor of what `fd` names, if that is ours.
int follow(int fd, int made) {
    if (made < 0 || peek(fd) == nullptr || !is_own_process()) return made;
    if (FdObject* object = acquire(fd)) {
        enter(made, object);
        drop(object);
    }
    return made;
}

void forget(int fd) {
    if (peek(fd) != nullptr && is_own_process()) leave(fd);
}

int duplicate_to(int fd, int target, int made) {
    if (made < 0 || fd == target) return made;
    forget(target);
    return follow(fd, made);
}

int set_status_flags(int fd, Socket& socket, long argument) {
    const bool nonblocking = (argument & O_NONBLOCK) != 0;
    if (socket.state() == SocketState::listening) argument = listener_flags_for_kernel(argument);
    const int result = real().fcntl(fd, F_SETFL, argument);
    if (result == 0) set_nonblocking(socket, nonblocking);
    return result;
}

int get_status_flags(int fd, Socket& socket) {
    const int flags = real().fcntl(fd, F_GETFL, 0L);
    if (flags < 0 || socket.state() != SocketState::listening) return flags;
    return static_cast<int>(listener_flags_for_program(flags));
}

int set_nonblocking_by_ioctl(int fd, Socket& socket, int nonblocking) {
    if (socket.state() == SocketState::listening) {
        const int flags = get_status_flags(fd, socket);
        if (flags < 0) return flags;
        return set_status_flags(fd, socket, nonblocking != 0 ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
    }
    const int result = real().ioctl(fd, FIONBIO, &nonblocking);
    if (result == 0) set_nonblocking(socket, nonblocking != 0);
    return result;
}

int control(int fd, int command, long argument) {
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) {
        return follow(fd, real().fcntl(fd, command, argument));
    }
    if (command == F_SETFL || command == F_GETFL) {
        if (Ref<Socket> socket = find<Socket>(fd)) {
            return command == F_SETFL ? set_status_flags(fd, *socket, argument)
                                      : get_status_flags(fd, *socket);
        }
    }
    return real().fcntl(fd, command, argument);
}

// Closes [first, last] but for what is private.
int close_all_but_private(unsigned first, unsigned last, int flags) {
    int result = 0;
    while (result == 0 && first <= last) {
        const int next = next_private(first, last);
        const unsigned end = next < 0 ? last : static_cast<unsigned>(next) - 1;
        if (next < 0 || static_cast<unsigned>(next) > first) {
            result = static_cast<int>(to_libc(
                system_call(SYS_close_range, static_cast<long>(first), static_cast<long>(end), flags)));
        }
        if (next < 0) break;
        first = static_cast<unsigned>(next) + 1;
    }
    return result;
}

int close_many(unsigned first, unsigned last, int flags) {
    if ((static_cast<unsigned>(flags) & CLOSE_RANGE_CLOEXEC) == 0 && first <= last && is_own_process()) {
        for (int fd = next_entry(first, last); fd >= 0;
             fd = next_entry(static_cast<unsigned>(fd) + 1, last)) {
            leave(fd);
            if (static_cast<unsigned>(fd) == last) break;
        }
    }
    return close_all_but_private(first, last, flags);
}

}  // namespace

XYLEM_EXPORT(int, close, (int fd)) {
    if (is_private(fd) && is_own_process()) return fail_errno_with(EBADF);
    if (peek(fd) == nullptr || !is_own_process()) return real().close(fd);
    may_be_cancelled();
    FdObject* object = detach(fd);
    const long result = to_libc(system_call(SYS_close, fd));  // not cancelled between here and settle()
    settle(object);
    return static_cast<int>(result);
}

XYLEM_EXPORT(int, close_range, (unsigned first, unsigned last, int flags)) {
    if (first > last) return fail_errno_with(EINVAL);
    return close_many(first, last, flags);
}

XYLEM_EXPORT(void, closefrom, (int first)) {
    close_many(first < 0 ? 0U : static_cast<unsigned>(first), ~0U, 0);
}

XYLEM_EXPORT(int, dup, (int fd)) { return follow(fd, real().dup(fd)); }

XYLEM_EXPORT(int, dup2, (int fd, int target)) {
    if (is_private(target)) return fail_errno_with(EBADF);
    return duplicate_to(fd, target, real().dup2(fd, target));
}

XYLEM_EXPORT(int, dup3, (int fd, int target, int flags)) {
    if (is_private(target)) return fail_errno_with(EBADF);
    return duplicate_to(fd, target, real().dup3(fd, target, flags));
}

XYLEM_EXPORT(int, fcntl, (int fd, int command, ...)) {
    va_list arguments;
    va_start(arguments, command);
    const long argument = va_arg(arguments, long);
    va_end(arguments);
    return control(fd, command, argument);
}

XYLEM_EXPORT(int, fcntl64, (int fd, int command, ...)) {
    va_list arguments;
    va_start(arguments, command);
    const long argument = va_arg(arguments, long);
    va_end(arguments);
    return control(fd, command, argument);
}

XYLEM_EXPORT(int, ioctl, (int fd, unsigned long request, ...)) {
    va_list arguments;
    va_start(arguments, request);
    void* argument = va_arg(arguments, void*);
    va_end(arguments);
    if (request == IOCTL_VM_SOCKETS_GET_LOCAL_CID && is_enabled())
        return get_local_cid(fd, request, argument);
    if (peek(fd) == nullptr) return real().ioctl(fd, request, argument);
    Ref<Socket> socket = find<Socket>(fd);
    if (socket && request == FIONBIO && argument != nullptr)
        return set_nonblocking_by_ioctl(fd, *socket, *static_cast<int*>(argument));
    if (socket && socket->is_ring() && get_queue_size(*socket, request, static_cast<int*>(argument)))
        return 0;
    return real().ioctl(fd, request, argument);
}
