// O_NONBLOCK of a listener. Its kernel socket never blocks (socket_listen.cpp); whether the program's calls
// shall stands in O_APPEND, which means nothing to a socket and which, like O_NONBLOCK, belongs to the open
// file description: so all processes that have the listener agree, before and after exec.
#pragma once

#include <fcntl.h>

#include "vsock-transport/base/system_call.hpp"

namespace xylem {

inline constexpr long kProgramNonblocking = O_APPEND;

// What the kernel gets where a program asks for such flags, and what a program is told of those that the
// kernel has.
constexpr long listener_flags_for_kernel(long asked) {
    const long marked = (asked & O_NONBLOCK) != 0 ? kProgramNonblocking : 0;
    return (asked & ~kProgramNonblocking) | O_NONBLOCK | marked;
}
constexpr long listener_flags_for_program(long kernel) {
    const long shown = (kernel & kProgramNonblocking) != 0 ? O_NONBLOCK : 0;
    return (kernel & ~(O_NONBLOCK | kProgramNonblocking)) | shown;
}

// As it is now, whoever set it.
inline bool is_listener_nonblocking(int fd) {
    const long flags = system_call(SYS_fcntl, fd, F_GETFL);
    return flags >= 0 && (flags & kProgramNonblocking) != 0;
}

// From a socket's flags to a listener's, and of a listener to other ones.
inline void make_listener_flags(int fd) {
    system_call(SYS_fcntl, fd, F_SETFL, listener_flags_for_kernel(system_call(SYS_fcntl, fd, F_GETFL)));
}

}  // namespace xylem
