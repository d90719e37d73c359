// Stream: sending and receiving.
// Under its direction's lock an end looks at its own state, then at the peer's, copies in chunks, and after
// each chunk publishes the cursor and kicks whoever the peer's slots name. The kick happens under the lock:
// the lock orders cursors, and a kick never blocks. What the peer writes is checked in ring/; an impossible
// value ends this connection with ECONNRESET and nothing else. Ends and errors live in shutdown.cpp.
#include "vsock-transport/stream/stream.hpp"

#include <sys/mman.h>

#include <cstring>

#include "vsock-transport/stream/robust_lock.hpp"
#include "vsock-transport/wakeup/recipe.hpp"

namespace xylem {
namespace {

// Where it lies now. The kernel's answer: the address, or -errno.
long map_at(const Mapping& place, int protection, int flags, int fd) {
    return system_call(SYS_mmap, word(place.bytes()), static_cast<long>(place.size_bytes()), protection,
                       flags, fd, 0);
}

// Each process reads that clock in its own way, and may be a little behind another.
std::uint64_t ns_since(std::uint64_t then_ns) {
    const std::uint64_t now = span_now_ns();
    return now > then_ns ? now - then_ns : 0;
}

tl::unexpected<Error> reentered() { return fail(ErrorKind::system, EINTR); }

}  // namespace

Result<Stream> Stream::open(Mapping slab, Mapping end_page, BellRinger& bells) {
    if (!end_page || end_page.size_bytes() < sizeof(EndPage)) return fail(ErrorKind::bad_layout);
    const EndPage& page = *end_page.as<EndPage>();
    if (page.magic != kEndPageMagic || page.version != kEndPageVersion) return fail(ErrorKind::bad_layout);
    const SlabGeometry geometry{{page.ring_size_bytes[0], page.ring_size_bytes[1]}};
    const Result<SlabView> view = carve(slab, geometry, page.side);
    if (!view) return fail(view.error());
    return Stream(std::move(slab), std::move(end_page), *view, bells);
}

Result<std::size_t> Stream::restore_slab(int fd) {
    constexpr int kBoth = PROT_READ | PROT_WRITE;
    const long mapped = map_at(slab_, kBoth, MAP_SHARED | MAP_FIXED_NOREPLACE, fd);
    if (mapped != word(slab_.bytes())) return fail(ErrorKind::system, static_cast<int>(-mapped));
    return slab_.size_bytes();
}

// Zeroes are no state that the peer can have: what looks at them resets the connection. The page of the
// others that hold this end stays as it is.
void Stream::lose_slab() {
    constexpr int kNothing = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    map_at(slab_, PROT_READ | PROT_WRITE, kNothing, -1);
    alignas(EndPage) std::byte copy[sizeof(EndPage)];
    std::memcpy(copy, page_.bytes(), sizeof copy);
    map_at(page_, PROT_READ | PROT_WRITE, kNothing, -1);
    std::memcpy(page_.bytes(), copy, sizeof copy);
    RobustGuard::initialise(page().tx_lock);  // another thread, of another process, may have them
    RobustGuard::initialise(page().rx_lock);
    fail_connection(kReset, ECONNRESET);
}

Result<std::size_t> Stream::send_some(IoCursor& source, Cursor* place) {
    const Result<std::size_t> result = send_locked(source, place);
    publish_end_if_shut();
    return result;
}

// Whoever shut this direction meanwhile left its end to the call that was under way.
void Stream::publish_end_if_shut() {
    if (has(kWriteShut) && !has_published_end()) shutdown_write();
}

Result<std::size_t> Stream::send_locked(IoCursor& source, Cursor* place) {
    RobustGuard guard(page().tx_lock);
    if (guard.state() == RobustGuard::State::reentered) return reentered();
    if (guard.state() == RobustGuard::State::repaired) producer().republish();
    note_question();
    count(page().counters.send_calls);
    if (peer_state() != TxState::open) note_peer_state();
    if (has(kWriteShut | kReset | kClosed) || page().pending_error.load_relaxed() != 0) {
        return no_more_writing();
    }
    if (has(kPeerFinSeen) && source.remaining() > 0 && !is_peer_reading()) {
        // Nobody reads any more. TCP takes this write, learns so from the RST it draws, and refuses the next.
        const std::size_t lost = source.remaining();
        source.skip(lost);
        fail_connection(kReset, EPIPE);
        wake_all_own_waiters();
        return lost;
    }
    if (place != nullptr) *place = page().tx.head.load_relaxed();
    const Result<std::size_t> sent = produce_chunks(source);
    if (!sent) forget_question();
    return sent;
}

// A peer that takes or gives a byte at a time must not hold its caller for a round each.
constexpr bool is_worth_a_round(unsigned round, std::size_t total_bytes) {
    constexpr unsigned kRounds = 64;
    constexpr std::size_t kLeastOfRound = 1024;
    return round < kRounds + total_bytes / kLeastOfRound;
}

Result<std::size_t> Stream::produce_chunks(IoCursor& source) {
    Producer ring = producer();
    if (!ring.rewind_if_empty(source.remaining())) return reject_lie();
    std::size_t total = 0;
    for (unsigned round = 0; source.remaining() > 0 && is_worth_a_round(round, total); ++round) {
        const std::size_t wanted = std::min(source.remaining(), kPublishBytes);
        const Result<std::uint64_t> room = ring.free_for(wanted);
        if (!room) return reject_lie();
        const std::size_t length = std::min<std::size_t>(wanted, *room);
        if (length == 0) {
            note_full(ring);
            break;
        }
        if (page().full_since_ns.load_relaxed() != 0) note_room();
        publish_and_kick([&] { ring.produce(source, length); }, [this] { kick(Direction::readable); });
        total += length;
    }
    if (total == 0 && source.remaining() > 0) return fail(ErrorKind::would_block);
    return total;
}

void Stream::note_full(Producer& ring) {
    count(page().counters.ring_full);
    ring.note_full();
    if (page().full_since_ns.load_relaxed() == 0) page().full_since_ns.store_relaxed(span_now_ns());
}

void Stream::note_room() {
    const std::uint64_t since_ns = page().full_since_ns.load_relaxed();
    page().full_since_ns.store_relaxed(0);
    count(page().counters.ring_full_ns, ns_since(since_ns));
}

void Stream::note_reply(std::uint64_t asked_at_ns) {
    page().asked_at_ns.store_relaxed(0);
    page().replies.add(ns_since(asked_at_ns));
}

Result<std::size_t> Stream::receive_some(IoCursor& destination, ReceiveMode mode, std::uint64_t skip_bytes,
                                         Cursor* place) {
    RobustGuard guard(page().rx_lock);
    if (guard.state() == RobustGuard::State::reentered) return reentered();
    Consumer ring = consumer();
    if (guard.state() == RobustGuard::State::repaired) ring.republish();
    count(page().counters.receive_calls);
    if (has(kPeerLied)) return nothing_to_read(skip_bytes);
    if (place != nullptr) *place = page().rx.tail.load_relaxed();
    std::size_t total = 0;
    for (unsigned round = 0; destination.remaining() > 0 && is_worth_a_round(round, total); ++round) {
        const std::size_t wanted = std::min(destination.remaining(), kPublishBytes);
        // Asks for one byte only: what the cached head already promises is worth taking without a look.
        const Result<std::uint64_t> used = ring.used(skip_bytes + 1);
        if (!used) return reject_lie();
        if (*used <= skip_bytes) break;
        const std::size_t length = std::min<std::size_t>(wanted, *used - skip_bytes);
        if (mode == ReceiveMode::discard || mode == ReceiveMode::measure) {
            destination.skip(length);
        } else {
            ring.copy(destination, length, skip_bytes);
        }
        if (mode == ReceiveMode::peek || mode == ReceiveMode::measure) {
            skip_bytes += length;
        } else {
            publish_and_kick([&] { ring.consume(length); },
                             [this] {
                                 if (is_writer_worth_waking()) kick(Direction::writable);
                             });
        }
        total += length;
    }
    if (total == 0 && destination.remaining() > 0) return nothing_to_read(skip_bytes);
    if (total > 0) note_received();
    return total;
}

// The cached head may understate what the ring holds: then a writer is woken for less, never too late.
bool Stream::is_writer_worth_waking() const {
    return is_half_free(page().rx.peer_head.load_relaxed(), page().rx.tail.load_relaxed(),
                        page().ring_size_bytes[1 - page().side]);
}

void Stream::kick_waiters(Direction direction) const {
    const AtomicU64* slots = peer_waiters(direction);
    for (unsigned i = 0; i < kWaiterSlots; ++i) {
        const WaitToken token(slots[i].load_relaxed());
        if (!token) continue;
        count(bells_->ring(*bells_, page(), page().peer_domain, token) ? page().counters.kicks_sent
                                                                       : page().counters.kicks_suppressed);
    }
}

void Stream::wake_own_waiters(Direction direction) const {
    const AtomicU64* slots =
        direction == Direction::readable ? page().readable_waiters : page().writable_waiters;
    for (unsigned i = 0; i < kWaiterSlots; ++i) {
        const WaitToken token(slots[i].load_relaxed());
        if (token) bells_->ring(*bells_, page(), page().own_domain, token);
    }
}

WaiterSlots Stream::waiters(Direction direction) {
    WakeupLine& line = view_.own->wakeup;
    if (direction == Direction::readable) return {page().readable_waiters, line.readable};
    return {page().writable_waiters, line.writable};
}

}  // namespace xylem
