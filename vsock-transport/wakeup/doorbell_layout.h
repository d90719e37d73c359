// The flag area of a doorbell that an epoll set owns, one for each domain it has connections with. The owner
// shares it with the processes of that domain only. Everything in it is a hint: a set bit makes the owner
// look at the connection, a cleared one makes it look later (its sleep is bounded).
#pragma once

#include <cstddef>
#include <cstdint>

#include "vsock-transport/base/atomic.hpp"

namespace xylem {

inline constexpr unsigned kReadyWords = 256;
inline constexpr unsigned kSummaryWords = kReadyWords / 64;
inline constexpr unsigned kReadyBits = kReadyWords * 64;  // connections one area can tell apart
inline constexpr std::size_t kDoorbellAreaBytes = 4096;

struct DoorbellArea {
    alignas(64) AtomicU32 sleeping;                // owner sets before it sleeps; a kicker takes it and kicks
    alignas(64) AtomicU64 summary[kSummaryWords];  // bit w: word w of ready has a bit
    alignas(64) AtomicU64 ready[kReadyWords];      // bit i: the peer made progress on connection i
};

static_assert(offsetof(DoorbellArea, summary) == 64 && offsetof(DoorbellArea, ready) == 128);
static_assert(sizeof(DoorbellArea) <= kDoorbellAreaBytes);

}  // namespace xylem
