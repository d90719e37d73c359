// The functions that the guest library stands in front of.
#pragma once

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

#include <cerrno>
#include <cstddef>

namespace xylem {

struct RealLibc {
#define XYLEM_CALL(result, name, parameters) result(*name) parameters;
#include "guest-lib/intercepted_calls.def"
#undef XYLEM_CALL
};

// Found once, at the first call of anybody, which may come before any constructor ran.
const RealLibc& real();

// Defines the exported function of that name. The asm label avoids a clash with libc's own declaration.
#define XYLEM_EXPORT(result, name, parameters)                                                            \
    extern "C" __attribute__((visibility("default"))) result xylem_call_##name parameters __asm__(#name); \
    extern "C" result xylem_call_##name parameters

// What a libc function returns on failure.
inline int fail_errno_with(int error) {
    errno = error;
    return -1;
}
// From a system call's answer to libc's.
inline long to_libc(long result) {
    if (result >= 0) return result;
    errno = static_cast<int>(-result);
    return -1;
}

}  // namespace xylem
