// Stream: how a connection ends, as TCP would show it (net/ipv4/tcp.c, tcp_input.c).
//
//   own act            published            what the peer sees
//   shutdown(SHUT_WR)  producer fin         reads what is queued, then 0
//   close, all read    producer fin,        the same; its next send is taken and lost, the one after it
//                      consumer closed      fails with EPIPE
//   close, unread data producer reset       reads what is queued, then ECONNRESET once, then 0
//   the same after     producer reset       reads what is queued, then 0; its next send fails with EPIPE
//   SHUT_WR            after fin
//   close to keep      producer kept,      as close, all read (reuse.cpp)
//                      consumer closed
//   caught a lie       producer reset       as above; this end reads nothing more: ECONNRESET once, then 0
//
// After a FIN from the peer a reader sees the end of the stream and never an error (SOCK_DONE in tcp.c); the
// error of a reset is EPIPE then, for SO_ERROR and poll, and ECONNRESET before. States only grow, so every
// step here may be repeated, by another holder or by the agent for a holder that died in the middle. Where
// nobody is left at the far end who could publish anything, this end does it there (peer_vanished()).
//
// A FIN must come after the last head, so it is published under tx_lock. A signal handler that shuts down the
// stream over its own thread's send cannot have the lock: it leaves kWriteShut, and that send does the rest.
#include "vsock-transport/stream/robust_lock.hpp"
#include "vsock-transport/stream/stream.hpp"
#include "vsock-transport/wakeup/recipe.hpp"

namespace xylem {

namespace {

// An honest holder keeps a lock for one copy. Longer than this, and close() goes on without it.
constexpr std::uint64_t kCloseLockNs = 100 * kNsPerMs;

// (F) after the last head. Only grows, though the receiving side may publish a reset beside the sending
// side's FIN; three tries, since each fails only because another step was published, or the peer meddles.
void raise_word(AtomicU32& shown, std::uint32_t wanted) {
    for (int tries = 0; tries < 3; ++tries) {
        const std::uint32_t seen = shown.load_relaxed();
        if (seen >= wanted || shown.compare_exchange(seen, wanted)) return;
    }
}

}  // namespace

void Stream::publish_tx_state(TxState state) {
    if (state == TxState::reset && has(kWriteShut)) state = TxState::reset_after_fin;
    publish_and_kick([&] { raise_word(view_.own->producer.state, tagged(state)); },
                     [this] {
                         kick(Direction::readable);
                         kick(Direction::writable);
                     });
}

// The error first, and once: who sees kReset must find it, or a reader would take the reset for an end.
void Stream::fail_connection(std::uint32_t status, int error) {
    page().pending_error.compare_exchange(0, static_cast<std::uint32_t>(error));
    page().status.fetch_or(status);
}

void Stream::wake_all_own_waiters() const {
    full_fence();  // (K1) after the new status
    wake_own_waiters(Direction::readable);
    wake_own_waiters(Direction::writable);
}

// Takes over what the peer's producer line says. Its state is one word, so one load decides.
void Stream::note_peer_state() {
    const TxState state = peer_state();
    if (state == TxState::open) return;
    if (state != TxState::reset && !has(kPeerFinSeen)) page().status.fetch_or(kPeerFinSeen);
    if (state != TxState::fin && !has(kReset))
        fail_connection(kReset, has(kPeerFinSeen) ? EPIPE : ECONNRESET);
}

tl::unexpected<Error> Stream::reject_lie() {
    fail_connection(kReset | kPeerLied, ECONNRESET);
    publish_tx_state(TxState::reset);
    const int error = take_error();  // before others wake and take it
    wake_all_own_waiters();
    return fail(ErrorKind::reset, error != 0 ? error : ECONNRESET);
}

tl::unexpected<Error> Stream::no_more_writing() {
    const int error = take_error();
    if (error != 0 && error != EPIPE) return fail(ErrorKind::reset, error);
    return fail(ErrorKind::closed, EPIPE);
}

// Under rx_lock, with nothing behind skip_bytes: end of stream, an error that is due, or nothing yet.
Result<std::size_t> Stream::nothing_to_read(std::uint64_t skip_bytes) {
    if (peer_state() != TxState::open && !has(kPeerLied)) {
        note_peer_state();
        // (F) the state was loaded after head: look again, the last bytes may have come in between.
        const Result<std::uint64_t> used = consumer().used(skip_bytes + 1);
        if (!used) return reject_lie();
        if (*used > skip_bytes) return fail(ErrorKind::would_block);
    }
    if (has(kPeerFinSeen) && !has(kPeerLied)) return std::size_t{0};
    if (const int error = take_error(); error != 0) return fail(ErrorKind::reset, error);
    if (has(kReset | kReadShut | kClosed | kPeerFinSeen)) return std::size_t{0};
    return fail(ErrorKind::would_block);
}

int Stream::take_error() {
    const std::uint32_t due = page().pending_error.load_relaxed();
    if (due == 0 || due == kErrorTaken || !page().pending_error.compare_exchange(due, kErrorTaken)) return 0;
    return static_cast<int>(due);
}

void Stream::shutdown_write() {
    page().status.fetch_or(kWriteShut);
    RobustGuard guard(page().tx_lock);
    if (guard.state() == RobustGuard::State::reentered) return;  // send_some() below us publishes it
    if (guard.state() == RobustGuard::State::repaired) producer().republish();
    publish_tx_state(TxState::fin);
    wake_own_waiters(Direction::writable);
}

void Stream::shutdown_read() {
    publish_and_kick([this] { page().status.fetch_or(kReadShut); },
                     [this] { wake_own_waiters(Direction::readable); });
}

void Stream::close(CloseMode mode) {
    const auto closed = tagged_state(page().use.load_relaxed(), RxState::closed);
    if ((page().status.fetch_or(kClosed) & kClosed) != 0 && has_published_end() &&
        view_.own->consumer.state.load_relaxed() == closed) {
        leave();
        return;
    }
    const bool abort = stop_reading() || mode == CloseMode::abort;
    const RobustGuard guard(page().tx_lock, kCloseLockNs);
    if (guard.is_held()) producer().republish();
    const bool keeps = mode == CloseMode::keep && guard.is_held() && !has(kReset | kPeerLied);
    publish_tx_state(abort ? TxState::reset : (keeps ? TxState::kept : TxState::fin));
}

// Says whether data is lost by it.
bool Stream::stop_reading() {
    const RobustGuard guard(page().rx_lock, kCloseLockNs);
    const Result<std::uint64_t> unread = consumer().used(1);
    view_.own->consumer.state.store_release(tagged_state(page().use.load_relaxed(), RxState::closed));
    return !unread || *unread > 0;
}

// What the peer's close() would have left in its lines, in the same order. It had read everything if its tail
// is at our head. Nothing here trusts the identity in the page: the agent calls this on a page of programs.
void Stream::peer_vanished(bool is_cut) {
    const bool is_data_lost = is_cut || is_unaccepted() ||
                              page().tx.head.load_relaxed() != view_.peer->consumer.tail.load_acquire();
    // It may have begun a use that this end has not accepted.
    const std::uint32_t shown = view_.peer->producer.state.load_acquire();
    std::uint32_t use = page().use.load_relaxed();
    if (use_of(shown) == use + 1) ++use;
    view_.peer->consumer.state.store_release(tagged_state(use, RxState::closed));
    // What it closed in the use before says nothing of this one, which it has not accepted.
    const bool is_before = use_of(shown) != use;
    const TxState lost = state_of(shown) == 0 || is_before ? TxState::reset : TxState::reset_after_fin;
    raise_word(view_.peer->producer.state, tagged_state(use, is_data_lost ? lost : TxState::fin));
    note_peer_state();
    wake_all_own_waiters();
}

}  // namespace xylem
