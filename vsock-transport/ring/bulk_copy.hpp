// Copies of bulk that are bound for another processor. Streaming stores write whole lines to memory without
// first fetching them. Cached stores win where both processors share a cache and the reader follows at some
// distance. Streaming stores win where they do not, since each line that the writer takes back from the
// reader's cache costs a round trip between the two; and where the reader follows so closely that it takes
// each line out of the writer's own cache. Measured with iperf3, 128 KiB writes, a 2 MiB ring: 27 GB/s cached
// against 14 to 20 streaming in the first case, 3.5 against 14 in the second, 11 against 18 in the third.
// copy_policy.hpp finds out which case it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

namespace xylem {

// Shorter pieces are read soon, by a reader that waits for them: always cached.
inline constexpr std::size_t kBulkBytes = 16 << 10;

// As many lines as a processor fetches at once, and a few more.
inline constexpr std::size_t kFetchAheadBytes = 4 << 10;

#if defined(__x86_64__)
inline constexpr bool kCanStream = true;

// PREFETCHW, which the compiler has only for processors that it is told of; where it is not known, it does
// nothing (Intel SDM volume 2, PREFETCHW).
inline void fetch_for_writing(const std::byte* bytes, std::size_t length) {
    constexpr std::size_t kLine = 64;
    for (std::size_t at = 0; at < length; at += kLine) asm volatile("prefetchw %0" ::"m"(bytes[at]));
}

// The last sfence makes a release store after it cover these bytes too: streaming stores are not ordered with
// other stores, not even on x86 (Intel SDM volume 3, 9.2.2).
inline void copy_streaming(std::byte* destination, const std::byte* source, std::size_t length) {
    constexpr std::size_t kLine = 64;
    constexpr std::size_t kLanes = kLine / sizeof(__m128i);
    const std::size_t misaligned = reinterpret_cast<std::uintptr_t>(destination) % kLine;
    const std::size_t to_line = misaligned == 0 ? 0 : kLine - misaligned;
    const std::size_t first = to_line < length ? to_line : length;
    std::memcpy(destination, source, first);
    std::size_t at = first;
    for (; length - at >= kLine; at += kLine) {
        const auto* from = reinterpret_cast<const __m128i*>(source + at);
        auto* to = reinterpret_cast<__m128i*>(destination + at);
        __m128i lanes[kLanes];
        for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = _mm_loadu_si128(from + i);
        for (std::size_t i = 0; i < kLanes; ++i) _mm_stream_si128(to + i, lanes[i]);
    }
    std::memcpy(destination + at, source + at, length - at);
    _mm_sfence();
}
#else
inline constexpr bool kCanStream = false;

inline void fetch_for_writing(const std::byte* bytes, std::size_t length) {
    constexpr std::size_t kLine = 64;
    for (std::size_t at = 0; at < length; at += kLine) __builtin_prefetch(bytes + at, 1);
}

inline void copy_streaming(std::byte* destination, const std::byte* source, std::size_t length) {
    std::memcpy(destination, source, length);
}
#endif

}  // namespace xylem
