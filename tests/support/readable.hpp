// Whether a descriptor can be read.
#pragma once

#include <poll.h>

namespace xylem {

inline bool is_readable_within(int fd, int timeout_ms) {
    pollfd item{fd, POLLIN, 0};
    return ::poll(&item, 1, timeout_ms) == 1;
}

inline bool is_readable(int fd) { return is_readable_within(fd, 0); }

// Waits for it, with a bound that only what is broken reaches.
inline bool becomes_readable(int fd) { return is_readable_within(fd, 20'000); }

}  // namespace xylem
