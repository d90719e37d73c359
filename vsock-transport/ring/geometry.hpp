// Cursor arithmetic: pure, constexpr, no shared memory. Cursors count bytes modulo 2^64; size is a power of
// two.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "vsock-transport/base/limits.hpp"

namespace xylem {

using Cursor = std::uint64_t;

// Above the second-level cache of a core (1 MiB on current servers): lines that the producer's core has put
// out into the shared cache are read from there three times as fast as out of its own.
inline constexpr std::uint64_t kDefaultRingSizeBytes = 2ULL << 20;

// A producer of messages no longer than this that finds the ring empty so far behind its origin begins anew
// at offset 0. It looks about once in kRewindLookBytes, since a look moves a cache line between processors.
inline constexpr std::uint64_t kRewindBytes = 16 << 10;
inline constexpr std::uint64_t kRewindLookBytes = 4 << 10;

constexpr bool is_valid_ring_size(std::uint64_t size_bytes) {
    return size_bytes >= kMinRingSizeBytes && size_bytes <= kMaxRingSizeBytes &&
           (size_bytes & (size_bytes - 1)) == 0;
}

// Bytes that a ring with these cursors holds; more than size means that somebody lied.
constexpr std::uint64_t used_bytes(Cursor head, Cursor tail) { return head - tail; }

constexpr std::uint64_t free_bytes(Cursor head, Cursor tail, std::uint64_t size_bytes) {
    return size_bytes - (head - tail);
}

// Where the byte with that cursor lies; the byte with cursor `origin` lies at offset 0.
constexpr std::size_t index_of(Cursor cursor, Cursor origin, std::uint64_t size_bytes) {
    return static_cast<std::size_t>((cursor - origin) & (size_bytes - 1));
}

// A stretch of `length` bytes from an offset on, as the one or two stretches it is in memory.
struct Span2 {
    std::size_t first_offset;
    std::size_t first_length;
    std::size_t second_length;  // at offset 0; 0 if the stretch does not wrap
};

constexpr Span2 split_at_wrap(std::size_t offset, std::size_t length, std::uint64_t size_bytes) {
    const std::size_t to_end = static_cast<std::size_t>(size_bytes) - offset;
    const std::size_t first = std::min(length, to_end);
    return {offset, first, length - first};
}

// Whether a producer of `length` bytes at `head` looks if it may begin anew.
constexpr bool is_worth_rewinding(Cursor head, Cursor origin, std::size_t length) {
    const std::uint64_t behind = head - origin;
    return length <= kRewindBytes && behind >= kRewindBytes && (behind & (kRewindLookBytes - 1)) < length;
}

// A new value of the peer's cursor is believable if it did not go back behind the last one seen and the ring
// does not hold more than fits: last - base <= now - base <= limit, all modulo 2^64.
constexpr bool is_believable(Cursor base, Cursor last, Cursor now, std::uint64_t limit_bytes) {
    return now - base <= limit_bytes && now - base >= last - base;
}

// A sleeping producer is woken, and POLLOUT reported, once half the ring is free: fewer, larger turns.
constexpr bool is_half_free(Cursor head, Cursor tail, std::uint64_t size_bytes) {
    return 2 * (head - tail) <= size_bytes;
}

}  // namespace xylem
