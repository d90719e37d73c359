// Capture ring: places are taken by compare-and-swap of head, with what is left at the end of the ring if the
// record does not fit there.
#include "guest-lib/capture_ring.hpp"

#include <algorithm>

namespace xylem {
namespace {

constexpr std::uint64_t kMask = kCaptureRingBytes - 1;
constexpr std::uint64_t kNoPlace = ~0ULL;

CaptureRecord& record_at(CaptureArea& area, std::uint64_t place) {
    return *reinterpret_cast<CaptureRecord*>(area.ring + (place & kMask));
}

void skip_to_begin(CaptureArea& area, std::uint64_t place, std::uint64_t size_bytes) {
    CaptureRecord& rest = record_at(area, place);
    rest.kind = static_cast<std::uint32_t>(CaptureKind::skip);
    rest.size_bytes.store_release(static_cast<std::uint32_t>(size_bytes));  // (Q3)
}

// The reader gave up waiting for this place.
bool is_given_away(const CaptureArea& area, std::uint64_t place) {
    return static_cast<std::int64_t>(area.tail.load_acquire() - place) > 0;
}

// Where size_bytes lie in one stretch; kNoPlace if there are not so many.
std::uint64_t take_place(CaptureArea& area, std::uint64_t size_bytes) {
    for (;;) {
        const std::uint64_t tail = area.tail.load_acquire();  // (Q2)
        const std::uint64_t head = area.head.load_relaxed();
        if (head % kCaptureAlign != 0) return kNoPlace;  // nobody of ours wrote that
        const std::uint64_t to_end = kCaptureRingBytes - (head & kMask);
        const std::uint64_t skipped = to_end < size_bytes ? to_end : 0;
        const std::uint64_t next = head + skipped + size_bytes;
        if (next - tail > kCaptureRingBytes) return kNoPlace;
        if (!area.head.compare_exchange(head, next)) continue;
        if (skipped > 0) skip_to_begin(area, head, skipped);
        return head + skipped;
    }
}

bool count_lost(CaptureArea& area, std::size_t moved_bytes) {
    area.lost_pieces.fetch_add(1);
    area.lost_bytes.fetch_add(moved_bytes);
    return false;
}

}  // namespace

bool write_capture(CaptureArea& area, const CaptureText& text, std::size_t moved_bytes, IoCursor& payload) {
    const std::size_t stored =
        std::min({moved_bytes, payload.remaining(), std::size_t{area.snap_bytes.load_relaxed()}});
    const std::size_t size_bytes =
        (sizeof(CaptureRecord) + stored + kCaptureAlign - 1) & ~(kCaptureAlign - 1);
    const std::uint64_t place = take_place(area, size_bytes);
    if (place == kNoPlace || is_given_away(area, place)) return count_lost(area, moved_bytes);
    CaptureRecord& record = record_at(area, place);
    record.kind = static_cast<std::uint32_t>(text.kind);
    record.time_ns = text.time_ns;
    record.end_id = text.end_id;
    record.sent_bytes = text.sent_bytes;
    record.received_bytes = text.received_bytes;
    record.use = text.use;
    record.moved_bytes = static_cast<std::uint32_t>(moved_bytes);
    record.stored_bytes = static_cast<std::uint32_t>(stored);
    record.local = text.local;
    record.peer = text.peer;
    payload.copy_out(reinterpret_cast<std::byte*>(&record + 1), stored);
    if (is_given_away(area, place)) return count_lost(area, moved_bytes);
    record.size_bytes.store_release(static_cast<std::uint32_t>(size_bytes));  // (Q3)
    return true;
}

}  // namespace xylem
