// Producer: copies bytes behind head, then lets head go. What most calls come to is in the header.
// The own head lives in the end page; the slab holds a copy of it that is written and never read back. The
// peer's tail is loaded once, checked against the own head and the last believed value, and cached. A cached
// tail can only understate what is free, so a stale one costs a look, never a byte.
#include "vsock-transport/ring/producer.hpp"

namespace xylem {

Result<std::uint64_t> Producer::look_for_free() {
    const Cursor head = state_.head.load_relaxed();
    const Cursor cached = state_.peer_tail.load_relaxed();
    const Cursor tail = peer_.tail.load_acquire();  // (P2) pairs with consumer.hpp consume()
    // Seen from head backwards: used = head - tail may only shrink and never exceed the ring.
    if (!is_believable(cached, cached, tail, used_bytes(head, cached))) return fail(ErrorKind::peer_lied);
    state_.peer_tail.store_relaxed(tail);
    return free_bytes(head, tail, size_bytes_);
}

Result<bool> Producer::look_if_empty() {
    const Result<std::uint64_t> free = free_for(size_bytes_);
    if (!free) return fail(free.error());
    if (*free != size_bytes_) return false;
    const Cursor head = state_.head.load_relaxed();
    state_.origin.store_relaxed(head);
    own_.origin.store_relaxed(head);  // (O) seen with the next head
    return true;
}

void Producer::copy_bulk(IoCursor& source, const Span2& span) {
    const std::uint64_t start_ns = span_now_ns();
    if (kCanStream && policy_.is_streaming()) {
        source.stream_out(data_ + span.first_offset, span.first_length);
        source.stream_out(data_, span.second_length);
    } else {
        copy(source, span);
    }
    if (kCanStream)
        policy_.copied(span.first_length + span.second_length, start_ns, span_now_ns(), size_bytes_);
}

}  // namespace xylem
