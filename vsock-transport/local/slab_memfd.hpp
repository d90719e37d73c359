// Slab and page memory between processes of one machine: sealed memfds. The seals keep a hostile holder from
// shrinking the file under the other's feet (SIGBUS); contents stay writable by both, which is the point.
#pragma once

#include <cstddef>

#include "vsock-transport/base/result.hpp"
#include "vsock-transport/base/unique_fd.hpp"

namespace xylem {

// A zeroed memfd of exactly size_bytes, sealed against shrinking, growing and further seals. Pages cost
// nothing until touched. name shows in /proc/PID/maps. Errors: system.
[[nodiscard]] Result<UniqueFd> make_sealed_memfd(const char* name, std::size_t size_bytes);

// Whether fd, which came from somebody else, is such a memfd of at least size_bytes. Errors: bad_layout.
[[nodiscard]] Result<std::size_t> check_sealed_memfd(int fd, std::size_t size_bytes);

// Gives all pages back; they read as zero afterwards. Errors: system.
[[nodiscard]] Result<std::size_t> scrub_memfd(int fd, std::size_t size_bytes);

}  // namespace xylem
