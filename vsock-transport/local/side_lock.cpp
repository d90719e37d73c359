// Side locks: how one agent sees that the other side of a connection is gone, though nobody is left to say
// so.
//
// A lock of an open file description (fcntl(2), F_OFD_SETLK) goes when the last reference to the description
// goes: descriptors, also inherited ones and those in messages on their way, and mappings. So each side of a
// connection has the slab behind a description of its own, and its agent locks one byte through it before the
// other side can look. Programs get that description from their agent, and map it. While the agent or one
// of them lives and has the slab, the byte is locked; it is free when the last one closed it or died. Nothing
// need be asked of the agent over there, which may be dead or may have begun anew; nor do users, pid
// namespaces and hidden processes matter, as they would in /proc.
//
// The bytes lie behind the end of the file, which locks may. Every connection has its own two, because a slab
// is used again, and somebody may have an old mapping of it. A peer can lock and unlock what it likes through
// its description: it deceives itself about its own connections. No call here waits, but thousands of locks
// on a slab make each call on that slab slow (some ms for ten thousand), so nobody may make many in one turn
// of the event loop.
#include "vsock-transport/local/side_lock.hpp"

#include <fcntl.h>
#include <stdio.h>

namespace xylem {
namespace {

constexpr std::uint64_t kConnections = 1ULL << 61;  // two bytes each, and off_t has a sign

struct flock byte_of(std::uint64_t connection_id, unsigned side, short type) {
    struct flock byte {};
    byte.l_type = type;
    byte.l_whence = SEEK_SET;
    byte.l_start = static_cast<off_t>(2 * (connection_id % kConnections) + side);
    byte.l_len = 1;
    return byte;
}

}  // namespace

UniqueFd reopened_slab(int slab_fd) {
    char path[32];
    ::snprintf(path, sizeof path, "/proc/self/fd/%d", slab_fd);
    return UniqueFd(::open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK));  // no wait for a lease that somebody took
}

void lock_side(int slab_fd, std::uint64_t connection_id, unsigned side) {
    struct flock all {};
    all.l_type = F_UNLCK;
    all.l_whence = SEEK_SET;
    ::fcntl(slab_fd, F_OFD_SETLK, &all);
    struct flock byte = byte_of(connection_id, side, F_WRLCK);
    ::fcntl(slab_fd, F_OFD_SETLK, &byte);
}

bool is_side_locked(int slab_fd, std::uint64_t connection_id, unsigned side) {
    struct flock byte = byte_of(connection_id, side, F_WRLCK);
    return ::fcntl(slab_fd, F_OFD_GETLK, &byte) != 0 || byte.l_type != F_UNLCK;
}

}  // namespace xylem
