// Consumer: copies bytes from tail on, then lets tail go.
// The own tail lives in the end page; the slab holds a copy of it that is written and never read back. The
// peer's head is loaded once, checked against the own tail and the last believed value, and cached. Its
// origin is loaded once too and needs no check: masked, every value is an offset inside the ring. Payload may
// change under the copy if the peer is hostile; it is bytes, and the program gets whatever was read.
#include "vsock-transport/ring/consumer.hpp"

namespace xylem {

Result<std::uint64_t> Consumer::used(std::uint64_t wanted_bytes) {
    const Cursor tail = state_.tail.load_relaxed();
    const Cursor cached = state_.peer_head.load_relaxed();
    const std::uint64_t known = used_bytes(cached, tail);
    if (known >= wanted_bytes) return known;

    const Cursor head = peer_.head.load_acquire();  // (C1) pairs with producer.cpp produce()
    if (!is_believable(tail, cached, head, size_bytes_)) return fail(ErrorKind::peer_lied);
    state_.peer_origin.store_relaxed(peer_.origin.load_relaxed());  // (O); any value is inside the ring
    state_.peer_head.store_relaxed(head);
    return used_bytes(head, tail);
}

void Consumer::copy(IoCursor& destination, std::size_t length, std::uint64_t skip_bytes) const {
    const Cursor from = state_.tail.load_relaxed() + skip_bytes;
    const std::size_t offset = index_of(from, state_.peer_origin.load_relaxed(), size_bytes_);
    const Span2 span = split_at_wrap(offset, length, size_bytes_);
    destination.copy_in(data_ + span.first_offset, span.first_length);
    destination.copy_in(data_, span.second_length);
}

void Consumer::consume(std::size_t length) {
    const Cursor tail = state_.tail.load_relaxed() + length;
    state_.tail.store_relaxed(tail);
    own_.tail.store_release(tail);  // (C2) pairs with producer.cpp free_for()
}

}  // namespace xylem
