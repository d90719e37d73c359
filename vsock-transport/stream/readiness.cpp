// Stream: readiness, as poll(2) would report it for a TCP socket in the same situation (net/ipv4/tcp.c,
// tcp_poll). Lock-free: the own cursors may move under the look, so an impossible difference is reported as
// "ready" and the locked path, which sees a consistent pair, decides whether somebody lied.
#include "vsock-transport/stream/stream.hpp"

namespace xylem {

std::uint64_t Stream::readable_bytes() const {
    const std::uint64_t used =
        used_bytes(view_.peer->producer.head.load_acquire(), page().rx.tail.load_relaxed());
    const std::uint64_t size_bytes = page().ring_size_bytes[1 - page().side];
    return used > size_bytes ? size_bytes : used;
}

std::uint64_t Stream::unsent_bytes() const {
    const std::uint64_t used =
        used_bytes(page().tx.head.load_relaxed(), view_.peer->consumer.tail.load_acquire());
    const std::uint64_t size_bytes = page().ring_size_bytes[page().side];
    return used > size_bytes ? size_bytes : used;
}

bool Stream::is_ready(Direction direction, std::uint64_t seen_bytes) const {
    const std::uint32_t status = page().status.load_acquire();
    if ((status & (kReset | kClosed)) != 0 || peer_state() >= TxState::reset) return true;
    if (direction == Direction::readable) {
        if ((status & kReadShut) != 0 || peer_state() != TxState::open) return true;
        return seen_bytes == 0 ? has_bytes() : readable_bytes() > seen_bytes;
    }
    if ((status & kWriteShut) != 0) return true;
    if (peer_state() == TxState::fin && !is_peer_reading()) return true;
    const Cursor head = page().tx.head.load_relaxed();
    const Cursor tail = view_.peer->consumer.tail.load_acquire();
    const std::uint64_t size_bytes = page().ring_size_bytes[page().side];
    return used_bytes(head, tail) > size_bytes || is_half_free(head, tail, size_bytes);
}

bool Stream::is_over() {
    note_peer_state();
    constexpr std::uint32_t kBoth = kWriteShut | kPeerFinSeen;
    const std::uint32_t status = page().status.load_acquire();
    return (status & kReset) != 0 || (status & kBoth) == kBoth;
}

Readiness Stream::readiness() {
    if (peer_state() != TxState::open) note_peer_state();
    const std::uint32_t status = page().status.load_acquire();
    Readiness ready;
    ready.in = is_ready(Direction::readable);
    ready.out = is_ready(Direction::writable);
    ready.read_hang_up = (status & (kReadShut | kPeerFinSeen | kReset)) != 0;
    const bool both_shut = (status & kWriteShut) != 0 && (status & (kReadShut | kPeerFinSeen)) != 0;
    ready.hang_up = both_shut || (status & kReset) != 0;
    const std::uint32_t error = page().pending_error.load_relaxed();
    ready.error = error != 0 && error != kErrorTaken;
    // A writer that sleeps comes back once half the ring is free, so a reader must not wait for more than
    // half.
    const std::uint64_t half_ring = page().ring_size_bytes[1 - page().side] / 2;
    const std::uint64_t low_water = std::min<std::uint64_t>(page().low_water_bytes.load_relaxed(), half_ring);
    if (ready.in && low_water > 1 && !ready.read_hang_up) ready.in = readable_bytes() >= low_water;
    return ready;
}

StreamState Stream::state() const {
    StreamState now;
    now.peer_head = view_.peer->producer.head.load_acquire();
    now.peer_tail = view_.peer->consumer.tail.load_acquire();
    now.peer_tx_state = view_.peer->producer.state.load_acquire();
    now.peer_rx_state = view_.peer->consumer.state.load_acquire();
    now.status = page().status.load_acquire();
    now.pending_error = page().pending_error.load_relaxed();
    now.low_water_bytes = page().low_water_bytes.load_relaxed();
    return now;
}

}  // namespace xylem
