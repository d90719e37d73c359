// Writing into the ring of control/protocol/capture_layout.h. Any thread, and signal handlers, at any time.
#pragma once

#include "control/protocol/capture_layout.h"
#include "vsock-transport/ring/io_cursor.hpp"

namespace xylem {

// What a record says, but for its sizes.
struct CaptureText {
    CaptureKind kind;
    std::uint64_t time_ns;
    std::uint64_t end_id;
    std::uint64_t sent_bytes;
    std::uint64_t received_bytes;
    std::uint32_t use;
    const SocketName& local;
    const SocketName& peer;
};

// One record of a piece of moved_bytes (at most kMaxPieceBytes; 0 for what is no piece), the first of which
// are taken from payload. False: there was no room, and it was counted as lost.
bool write_capture(CaptureArea& area, const CaptureText& text, std::size_t moved_bytes, IoCursor& payload);

}  // namespace xylem
