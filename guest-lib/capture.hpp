// Capturing: what ring sockets of this process move, for `xylem capture`. Costs a look at one word a call
// while nobody captures.
//
// A piece is recorded by the call that moved it, after it moved it. Where several threads or processes send
// at one socket at the same moment, their pieces may stand in the capture in another order than in the
// stream; where each lies there is right.
#pragma once

#include <sys/uio.h>

#include "control/protocol/capture_layout.h"

namespace xylem {

struct Socket;

// The area of this process's session page; null before there is one.
extern Atomic<CaptureArea*> capture_area;

inline bool is_captured() {
    const CaptureArea* area = capture_area.load_relaxed();
    return area != nullptr && area->is_on.load_relaxed() != 0;
}

// When a piece that is about to be moved begins to move; 0: nobody captures.
std::uint64_t capture_time_ns();

// What a call moved: length bytes of those vectors, from skip_bytes on, that lie in the stream from place on
// (Stream::send_some()). count: 0 where the bytes are not to be had.
struct CapturedMove {
    const iovec* vectors;
    std::size_t count;
    std::size_t skip_bytes;
    std::size_t length;
    std::uint64_t place;
};
// It began to be sent at time_ns, or was just received.
void capture_sent(const Socket& socket, const CapturedMove& moved, std::uint64_t time_ns);
void capture_received(const Socket& socket, const CapturedMove& moved);
// That the connection began or ended, in one direction or both.
void capture_event(const Socket& socket, CaptureKind kind);
// The last holder has closed the end.
void note_close(const Socket& socket);

}  // namespace xylem
