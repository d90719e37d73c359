// Datagrams with descriptors over SOCK_SEQPACKET. Uses system calls directly (the guest library's own send
// and recv must not see this socket) and never raises SIGPIPE.
#pragma once

#include "control/protocol/codec.hpp"

namespace xylem {

// Sends one message with up to kMaxMessageFds descriptors (not consumed).
// Errors: would_block (queue full), system (EPIPE: the other side is gone).
[[nodiscard]] Result<std::size_t> send_message(int socket, const void* message, std::size_t size_bytes,
                                               const int* fds = nullptr, unsigned fd_count = 0);

// Receives one message; never blocks. All descriptors get close-on-exec. What a message of ours could not
// have is surplus.
// Errors: would_block, closed (hang-up), bad_layout (larger than kMaxMessageBytes), system.
[[nodiscard]] Result<std::size_t> receive_message(int socket, Received& message);

// Waits until the socket is readable. Errors: would_block (deadline passed), system (EINTR included).
[[nodiscard]] Result<std::size_t> wait_readable(int socket, std::uint64_t deadline_ns);

// Connects to a SOCK_SEQPACKET socket at path; close-on-exec. Errors: system (ENOENT, ECONNREFUSED, ...),
// out_of_range (path too long).
[[nodiscard]] Result<UniqueFd> dial(const char* path);

}  // namespace xylem
