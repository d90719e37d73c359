// Stream: using a connection again. Making one takes two agents, a slab and four processes that wake each
// other; a connection that ended in order leaves all of it behind, held by the two processes that had it.
//
//   connecting end C, use u                     accepting end A, use u
//   close: (u, kept)                            close: (u, kept), in either order
//   A is (u, kept), and the rings are empty
//   page: use u + 1
//   own words (u + 1, open)  (R)
//   full fence, kick                            C is (u + 1, ...): has_caller()
//   A is (u, kept) still, or (u + 1, ...)       page: use u + 1; own words (u + 1, open)
//
// C may send at once: A's words of use u count as open to it until A accepts, as with a connection that waits
// in a kernel's queue. Each end may leave, and the agent may for it: a compare-and-swap from (u, kept), so
// that of leaving and beginning or accepting one fails. If C finds A left after its fence, it gives up this
// connection and asks the agents for another. A that leaves looks for a caller after a fence of its own, and
// stays if there is one; so C does not begin unseen. Where both see the other, A accepts a connection that C
// has reset already. The peer's words may be anything: a use that is neither the own one nor, at C, the kept
// one before, counts as reset.
//
// Where a bridge carries the connection between nodes (rdma-bridge/mirror.cpp), no fence of C's orders what A
// does. Then the far bridge is A's caller: it shows A the new use, looks after a fence whether A has left,
// and if not says so by A's consumer word, (u + 1, open). C waits for that (is_heard()), or for A's being
// left.
//
// tests/model/reuse.pml models this, and leaves a caller alone as soon as a fence or a look is taken out.
#include "vsock-transport/stream/stream.hpp"
#include "vsock-transport/wakeup/recipe.hpp"

namespace xylem {

TxState Stream::peer_state() const {
    const std::uint32_t word = view_.peer->producer.state.load_acquire();
    const std::uint32_t use = page().use.load_relaxed();
    if (use_of(word) == use) {
        const auto state = static_cast<TxState>(state_of(word));
        return state == TxState::kept || state == TxState::left ? TxState::fin : state;
    }
    return use > 0 && word == tagged_state(use - 1, TxState::kept) ? TxState::open : TxState::reset;
}

bool Stream::is_unaccepted() const {
    const std::uint32_t use = page().use.load_relaxed();
    return use > 0 && view_.peer->producer.state.load_acquire() == tagged_state(use - 1, TxState::kept);
}

bool Stream::is_heard() const {
    return use_of(view_.peer->consumer.state.load_acquire()) == page().use.load_relaxed();
}

bool Stream::is_refused() const { return peer_state() == TxState::reset && !is_heard(); }

// Only one that closed in this use does not.
bool Stream::is_peer_reading() const {
    return view_.peer->consumer.state.load_acquire() !=
           tagged_state(page().use.load_relaxed(), RxState::closed);
}

bool Stream::has_published_end() const {
    return view_.own->producer.state.load_relaxed() != tagged(TxState::open);
}

bool Stream::is_kept() const { return view_.own->producer.state.load_acquire() == tagged(TxState::kept); }

// A caller that waits here sees a reset.
void Stream::leave() {
    publish_and_kick(
        [this] { view_.own->producer.state.compare_exchange(tagged(TxState::kept), tagged(TxState::left)); },
        [this] {
            if (!has_caller()) return;
            kick(Direction::readable);
            kick(Direction::writable);
        });
}

bool Stream::is_left() const {
    if (page().is_revoked.load_acquire() != 0 || !is_kept()) return true;
    const std::uint32_t word = view_.peer->producer.state.load_acquire();
    if (use_of(word) != page().use.load_relaxed()) return false;
    const auto state = static_cast<TxState>(state_of(word));
    return state > TxState::kept || (state == TxState::fin && !is_peer_reading());
}

// Neither ring holds a byte, as far as the far end says; what it says is believed at its own cost.
bool Stream::is_drained() const {
    return view_.peer->consumer.tail.load_acquire() == page().tx.head.load_relaxed() &&
           view_.peer->producer.head.load_acquire() == page().rx.tail.load_relaxed();
}

// By the only holder, outside of all calls.
void Stream::reset_page() {
    EndPage& own = page();
    own.status.store_relaxed(0);
    own.pending_error.store_relaxed(0);
    own.low_water_bytes.store_relaxed(0);
    own.abort_on_close.store_relaxed(0);
    own.asked_at_ns.store_relaxed(0);
    own.full_since_ns.store_relaxed(0);
    own.tx_begin.store_relaxed(own.tx.head.load_relaxed());
    own.rx_begin.store_relaxed(own.rx.tail.load_relaxed());
    own.use.store_release(own.use.load_relaxed() + 1);
    view_.own->consumer.state.store_relaxed(tagged_state(own.use.load_relaxed(), RxState::open));
}

// From the use before to the page's. False, and all is as it was: the agent left in the place of this end.
bool Stream::open_again(std::uint32_t before) {
    const std::uint32_t kept = tagged_state(before, TxState::kept);
    if (view_.own->producer.state.compare_exchange(kept, tagged(TxState::open))) return true;
    page().status.store_relaxed(kWriteShut | kClosed);
    page().use.store_release(before);
    view_.own->consumer.state.store_release(tagged_state(before, RxState::closed));
    return false;
}

bool Stream::may_begin_again() const {
    return !is_left() && page().use.load_relaxed() < kMaxUse && !is_peer_reading() && is_drained() &&
           view_.peer->producer.state.load_acquire() == tagged(TxState::kept);
}

bool Stream::begin_again(std::uint32_t caller_port) {
    const std::uint32_t use = page().use.load_relaxed();
    reset_page();
    view_.own->producer.caller_port.store_relaxed(caller_port);
    if (!open_again(use)) return false;
    full_fence();  // (K1), and before the look whether the far end has left
    kick_waiters(Direction::readable);
    return peer_state() != TxState::reset;
}

bool Stream::has_caller() const {
    return use_of(view_.peer->producer.state.load_acquire()) == page().use.load_relaxed() + 1;
}

std::uint32_t Stream::accept_again() {
    if (!has_caller()) return 0;
    const std::uint32_t port = view_.peer->producer.caller_port.load_relaxed() & 0xFFFF;
    const std::uint32_t use = page().use.load_relaxed();
    reset_page();
    if (!open_again(use)) return 0;
    return port != 0 ? port : 1;
}

bool Stream::make_call() {
    return view_.own->call.state.compare_exchange(static_cast<std::uint32_t>(CallState::asked),
                                                  static_cast<std::uint32_t>(CallState::made));
}

bool Stream::give_up_call() {
    return view_.peer->call.state.compare_exchange(static_cast<std::uint32_t>(CallState::asked),
                                                   static_cast<std::uint32_t>(CallState::given_up));
}

bool Stream::stop_keeping() {
    if (has_caller()) return false;
    if (!view_.own->producer.state.compare_exchange(tagged(TxState::kept), tagged(TxState::left)))
        return true;
    full_fence();  // before the look for a caller
    if (!has_caller()) return true;
    return !view_.own->producer.state.compare_exchange(tagged(TxState::left), tagged(TxState::kept));
}

}  // namespace xylem
