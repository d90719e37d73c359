// Expected failures of the transport: a kind that callers switch on, and the errno it stands for.
// Fatal ones travel unchanged to the libc edge (guest-lib) or to the log of a daemon, once.
#pragma once

#include <cerrno>
#include <cstdint>

namespace xylem {

enum class ErrorKind : std::uint8_t {
    system,        // a system call failed; sys_errno says how
    bad_layout,    // a region's header or geometry does not hold together
    peer_lied,     // a word that the peer writes had a value it cannot have
    would_block,   // nothing can be done now
    reset,         // the connection ended with unread data or without its peer
    closed,        // this end was closed or shut down for what was asked
    not_found,     // no such id, doorbell or connection
    refused,       // the other side said no
    no_agent,      // no agent answers
    out_of_range,  // an argument is outside its documented range
    exhausted,     // a quota, pool or table is full
};

struct [[nodiscard]] Error {
    ErrorKind kind = ErrorKind::system;
    int sys_errno = 0;

    static Error from_errno() { return {ErrorKind::system, errno}; }
};

}  // namespace xylem
