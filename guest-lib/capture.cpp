// Capturing: pieces cut to the size of records, counted from where this use of the connection began.
#include "guest-lib/capture.hpp"

#include <algorithm>

#include "guest-lib/capture_ring.hpp"
#include "guest-lib/probes.hpp"
#include "guest-lib/socket.hpp"
#include "vsock-transport/base/clock.hpp"

namespace xylem {
namespace {

CaptureText text_of(const Socket& socket, CaptureKind kind, std::uint64_t time_ns) {
    const EndPage& page = socket.stream.page();
    return {kind,
            time_ns,
            socket.end_id,
            page.tx.head.load_relaxed() - page.tx_begin.load_relaxed(),
            page.rx.tail.load_relaxed() - page.rx_begin.load_relaxed(),
            page.use.load_relaxed(),
            page.local,
            page.peer};
}

// first_byte: the one of text's numbers that counts this direction.
void capture_pieces(CaptureText& text, std::uint64_t& first_byte, const CapturedMove& moved) {
    CaptureArea* area = capture_area.load_relaxed();
    if (area == nullptr) return;
    IoCursor bytes(moved.vectors, moved.count);
    bytes.skip(std::min(moved.skip_bytes, bytes.remaining()));
    for (std::size_t left = moved.length; left > 0;) {
        const std::size_t piece = std::min(left, kMaxPieceBytes);
        IoCursor from_here = bytes;
        (void)write_capture(*area, text, piece, from_here);
        bytes.skip(std::min(piece, bytes.remaining()));
        first_byte += piece;
        left -= piece;
    }
}

}  // namespace

constinit Atomic<CaptureArea*> capture_area{nullptr};

std::uint64_t capture_time_ns() { return is_captured() ? wall_clock_ns() : 0; }

void capture_sent(const Socket& socket, const CapturedMove& moved, std::uint64_t time_ns) {
    CaptureText text = text_of(socket, CaptureKind::sent, time_ns);
    text.sent_bytes = moved.place - socket.stream.page().tx_begin.load_relaxed();
    capture_pieces(text, text.sent_bytes, moved);
}

void capture_received(const Socket& socket, const CapturedMove& moved) {
    CaptureText text = text_of(socket, CaptureKind::received, wall_clock_ns());
    text.received_bytes = moved.place - socket.stream.page().rx_begin.load_relaxed();
    capture_pieces(text, text.received_bytes, moved);
}

void capture_event(const Socket& socket, CaptureKind kind) {
    CaptureArea* area = capture_area.load_relaxed();
    if (area == nullptr || !is_captured()) return;
    IoCursor nothing(nullptr, 0);
    (void)write_capture(*area, text_of(socket, kind, wall_clock_ns()), 0, nothing);
}

void note_close(const Socket& socket) {
    const bool in_order = socket.stream.has_ended_in_order();
    XYLEM_PROBE2(close, socket.end_id, in_order ? 0 : 1);
    capture_event(socket, in_order ? CaptureKind::closed : CaptureKind::aborted);
}

}  // namespace xylem
