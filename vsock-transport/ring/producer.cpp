// Producer: copies bytes behind head, then lets head go.
// The own head lives in the end page; the slab holds a copy of it that is written and never read back. The
// peer's tail is loaded once, checked against the own head and the last believed value, and cached. A cached
// tail can only understate what is free, so a stale one costs a look, never a byte.
#include "vsock-transport/ring/producer.hpp"

namespace xylem {

Result<std::uint64_t> Producer::free_for(std::uint64_t wanted_bytes) {
    const Cursor head = state_.head.load_relaxed();
    const Cursor cached = state_.peer_tail.load_relaxed();
    const std::uint64_t known = free_bytes(head, cached, size_bytes_);
    if (known >= wanted_bytes) return known;

    const Cursor tail = peer_.tail.load_acquire();  // (P2) pairs with consumer.cpp consume()
    // Seen from head backwards: used = head - tail may only shrink and never exceed the ring.
    if (!is_believable(cached, cached, tail, used_bytes(head, cached))) return fail(ErrorKind::peer_lied);
    state_.peer_tail.store_relaxed(tail);
    return free_bytes(head, tail, size_bytes_);
}

Result<bool> Producer::rewind_if_empty(std::size_t length) {
    const Cursor head = state_.head.load_relaxed();
    if (!is_worth_rewinding(head, state_.origin.load_relaxed(), length)) return false;
    const Result<std::uint64_t> free = free_for(size_bytes_);
    if (!free) return fail(free.error());
    if (*free != size_bytes_) return false;
    state_.origin.store_relaxed(head);
    own_.origin.store_relaxed(head);  // (O) seen with the next head
    return true;
}

void Producer::produce(IoCursor& source, std::size_t length) {
    const Cursor head = state_.head.load_relaxed();
    const std::size_t offset = index_of(head, state_.origin.load_relaxed(), size_bytes_);
    const Span2 span = split_at_wrap(offset, length, size_bytes_);
    if (length < kBulkBytes) {
        copy(source, span);
    } else {
        copy_bulk(source, span);
    }
    // Release: a holder that is killed here must not have moved the cursor before the bytes were copied.
    state_.head.store_release(head + length);
    own_.head.store_release(head + length);  // (P1) pairs with consumer.cpp used()
}

void Producer::copy(IoCursor& source, const Span2& span) {
    source.copy_out(data_ + span.first_offset, span.first_length);
    source.copy_out(data_, span.second_length);
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
