// CaptureReader: record by record, each copied before it is believed, and its place zeroed before it is given
// back (Q1, Q4).
#include "control/cli/capture_reader.hpp"

#include <algorithm>
#include <cstring>

#include "control/protocol/session_page_layout.h"

namespace xylem::cli {
namespace {

constexpr std::uint64_t kMask = kCaptureRingBytes - 1;
constexpr auto kSkip = static_cast<std::uint32_t>(CaptureKind::skip);

bool is_aligned(std::uint64_t bytes) { return bytes % kCaptureAlign == 0; }

}  // namespace

CaptureReader::CaptureReader(std::string program, Mapping page, std::uint64_t begin,
                             std::uint64_t lost_before)
    : program_(std::make_shared<const std::string>(std::move(program))),
      page_(std::move(page)),
      tail_(area().tail.load_acquire()),
      lost_before_(lost_before) {
    if (begin - tail_ <= kCaptureRingBytes) {
        give_back(begin - tail_);
    } else {
        is_broken_ = true;
    }
}

CaptureArea& CaptureReader::area() const { return page_.as<SessionPage>()->capture; }

void CaptureReader::read(std::vector<CapturedPiece>& pieces, std::uint64_t now_ns) {
    // Until here, however fast the program goes on.
    const std::uint64_t head = area().head.load_acquire();
    while (!is_broken_) {
        switch (look(head, pieces)) {
            case Look::taken:
                vain_reads_ = 0;
                continue;
            case Look::nothing:
                return;
            case Look::not_whole:
                return skip_what_never_ends(head, now_ns);
            case Look::broken:
                is_broken_ = true;
                return;
        }
    }
}

CaptureReader::Look CaptureReader::look(std::uint64_t head, std::vector<CapturedPiece>& pieces) {
    const std::uint64_t used = head - tail_;
    if (used == 0) return Look::nothing;
    if (used > kCaptureRingBytes || !is_aligned(used) || !is_aligned(tail_)) return Look::broken;
    const std::byte* place = area().ring + (tail_ & kMask);
    const std::uint64_t room = std::min(used, kCaptureRingBytes - (tail_ & kMask));
    const std::uint64_t size_bytes =
        reinterpret_cast<const CaptureRecord*>(place)->size_bytes.load_acquire();  // (Q4)
    if (size_bytes == 0) return Look::not_whole;
    if (size_bytes > room || !is_aligned(size_bytes)) return Look::broken;
    if (!take(place, size_bytes, pieces)) return Look::broken;
    give_back(size_bytes);
    return Look::taken;
}

bool CaptureReader::take(const std::byte* place, std::size_t size_bytes,
                         std::vector<CapturedPiece>& pieces) const {
    alignas(CaptureRecord) std::byte bytes[sizeof(CaptureRecord)]{};
    std::memcpy(bytes, place, std::min(size_bytes, sizeof bytes));
    const auto& record = *reinterpret_cast<const CaptureRecord*>(bytes);
    if (record.kind == kSkip) return true;
    if (size_bytes < sizeof record || record.stored_bytes > size_bytes - sizeof record) return false;
    if (record.moved_bytes < record.stored_bytes || record.moved_bytes > kMaxPieceBytes) return false;
    CapturedPiece piece;
    piece.program = program_;
    piece.kind = static_cast<CaptureKind>(record.kind);
    piece.time_ns = record.time_ns;
    piece.end_id = record.end_id;
    piece.sent_bytes = record.sent_bytes;
    piece.received_bytes = record.received_bytes;
    piece.use = record.use;
    piece.moved_bytes = record.moved_bytes;
    piece.local = record.local;
    piece.peer = record.peer;
    piece.payload.assign(reinterpret_cast<const char*>(place + sizeof record), record.stored_bytes);
    pieces.push_back(std::move(piece));
    return true;
}

void CaptureReader::give_back(std::uint64_t size_bytes) {
    while (size_bytes > 0) {
        const std::uint64_t offset = tail_ & kMask;
        const std::uint64_t here = std::min(size_bytes, kCaptureRingBytes - offset);
        std::memset(area().ring + offset, 0, here);
        tail_ += here;
        size_bytes -= here;
    }
    area().tail.store_release(tail_);  // (Q1)
}

// A thread that was in the middle of a record is gone, with a signal handler's jump, say. What others wrote
// behind it goes with it. Should the thread come back, it looks whether its place is still its own; where it
// was stopped just behind that look, this program's capture may end, or show what was never moved.
void CaptureReader::skip_what_never_ends(std::uint64_t head, std::uint64_t now_ns) {
    if (vain_reads_ == 0) vain_since_ns_ = now_ns;
    if (++vain_reads_ < kMostVainReads || now_ns - vain_since_ns_ < kMostVainNs) return;
    ++skipped_;
    give_back(head - tail_);
    vain_reads_ = 0;
}

void CaptureReader::finish() {
    area().is_on.store_release(0);
    if (!is_broken_ && area().head.load_acquire() != tail_) ++skipped_;
}

void CaptureReader::rename(std::string program) {
    program_ = std::make_shared<const std::string>(std::move(program));
}

}  // namespace xylem::cli
