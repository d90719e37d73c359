// Whether memory that somebody else made can be shared without risk.
#pragma once

#include <cstddef>

namespace xylem {

enum class Access : unsigned char { read, read_write };

// A memfd of at least size_bytes that cannot shrink, of ordinary pages (huge ones may fault with SIGBUS when
// there are none), and that can be mapped as wanted.
bool is_sound_memory(int fd, std::size_t size_bytes, Access wanted);

}  // namespace xylem
