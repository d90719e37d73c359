// The library's own descriptors: its session, its doorbells. They sit as high as the limit allows, so that
// the program's descriptors get the numbers they would get without us, and the program cannot close them by
// sweeping over all numbers (daemons do): for the program they do not exist.
#pragma once

#include "vsock-transport/base/unique_fd.hpp"

namespace xylem {

// Moves fd to a high number, close-on-exec, and remembers it. Returns the fd itself if there is no room.
UniqueFd make_private(UniqueFd fd);

// One more descriptor of the same file, private. Empty without room.
UniqueFd duplicate_private(int fd);

// Closes and forgets.
void close_private(UniqueFd& fd);

bool is_private(int fd);

// The first private descriptor in [from, to], or -1.
int next_private(unsigned from, unsigned to);

}  // namespace xylem
