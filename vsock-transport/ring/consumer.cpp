// Consumer: copies bytes from tail on, then lets tail go. What most calls come to is in the header.
// The own tail lives in the end page; the slab holds a copy of it that is written and never read back. The
// peer's head is loaded once, checked against the own tail and the last believed value, and cached. Its
// origin is loaded once too and needs no check: masked, every value is an offset inside the ring. Payload may
// change under the copy if the peer is hostile; it is bytes, and the program gets whatever was read.
#include "vsock-transport/ring/consumer.hpp"

namespace xylem {

Result<std::uint64_t> Consumer::look() {
    const Cursor tail = state_.tail.load_relaxed();
    const Cursor head = peer_.head.load_acquire();  // (C1) pairs with producer.hpp produce()
    if (!is_believable(tail, state_.peer_head.load_relaxed(), head, size_bytes_))
        return fail(ErrorKind::peer_lied);
    state_.peer_origin.store_relaxed(peer_.origin.load_relaxed());  // (O); any value is inside the ring
    state_.peer_head.store_relaxed(head);
    return used_bytes(head, tail);
}

}  // namespace xylem
