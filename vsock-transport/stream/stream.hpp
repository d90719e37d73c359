// One end of a connection as its holders use it: bytes in, bytes out, half-close, reset, readiness. Never
// waits; stream/blocking.hpp and the guest library's poll family do that on top. Threads and processes may
// share an end: each direction has a lock in the end page.
#pragma once

#include <algorithm>
#include <cstdint>

#include "vsock-transport/base/span_clock.hpp"
#include "vsock-transport/ring/holder_bytes.hpp"
#include "vsock-transport/stream/region.hpp"
#include "vsock-transport/wakeup/waiter_slots.hpp"

namespace xylem {

class Stream;

// How a stream reaches the doorbell that a token names. ring() finds the doorbell of waiter_domain (the
// peer's domain, or the own one where an end wakes its own sleepers), rings it, and says whether a kick was
// sent. It may be slow the first time it meets an id, and never blocks for longer than a second.
struct BellRinger {
    bool (*ring)(BellRinger& self, const EndPage& page, std::uint32_t waiter_domain, WaitToken token);
};

enum class Direction : std::uint8_t { readable, writable };

// Readiness, with the meaning of the poll bits of the same names (poll(2), tcp(7)).
struct Readiness {
    bool in = false;
    bool out = false;
    bool read_hang_up = false;
    bool hang_up = false;
    bool error = false;
};

// All that readiness() comes from, but for what the own program consumes: between two equal ones nothing
// came.
struct StreamState {
    Cursor peer_head = 0;
    Cursor peer_tail = 0;
    std::uint32_t peer_tx_state = 0;
    std::uint32_t peer_rx_state = 0;
    std::uint32_t status = 0;
    std::uint32_t pending_error = 0;
    std::uint32_t low_water_bytes = 0;

    bool operator==(const StreamState&) const = default;
};

// measure: peek without copying.
enum class ReceiveMode : std::uint8_t { consume, peek, discard, measure };
// keep: orderly, and where that loses nothing the end stays for another use.
enum class CloseMode : std::uint8_t { orderly, abort, keep };

class Stream {
  public:
    Stream() = default;
    static constexpr std::size_t kPublishBytes = 64 << 10;  // a bulk copy lets its peer follow this close

    // Errors: bad_layout.
    [[nodiscard]] static Result<Stream> open(Mapping slab, Mapping end_page, BellRinger& bells);

    // Sends as much of source as fits. Errors: would_block (nothing fits), closed (EPIPE is due),
    // reset (sys_errno), system EINTR (re-entered by a signal handler).
    // place: where the first byte that it sent lies; left alone where it sent nothing that the peer gets.
    [[nodiscard]] Result<std::size_t> send_some(IoCursor& source, Cursor* place = nullptr);

    // Receives what is there, 0 at the end of the stream. skip_bytes: where a peek begins.
    // Errors: would_block, reset (sys_errno), system EINTR. place: where the first byte lay.
    [[nodiscard]] Result<std::size_t> receive_some(IoCursor& destination, ReceiveMode mode,
                                                   std::uint64_t skip_bytes = 0, Cursor* place = nullptr);

    // What most calls come to: one stretch of bytes that moves as a whole, with no error, end or signal to
    // look at. Otherwise nothing happens, and send_some() or receive_some() is to be asked (at_once.cpp).
    [[nodiscard]] bool send_at_once(const void* bytes, std::size_t length);
    bool has_bytes() const {
        return view_.peer->producer.head.load_acquire() != page().rx.tail.load_relaxed();
    }
    // How many bytes were received; 0: see above.
    [[nodiscard]] std::size_t receive_at_once(void* bytes, std::size_t room_bytes);

    Readiness readiness();
    StreamState state() const;
    // The peer's orderly end was seen, though there may be bytes before it.
    bool has_seen_end() const { return has(kPeerFinSeen); }
    // After close(): whether the peer is told of an orderly end, not of a reset.
    bool has_ended_in_order() const {
        const auto state = static_cast<TxState>(state_of(view_.own->producer.state.load_relaxed()));
        return state == TxState::fin || state == TxState::kept || state == TxState::left;
    }
    // Both directions have ended, or the connection was reset: what TCP calls CLOSE.
    bool is_over();
    // Cheap and lock-free; true where the locked path should look (data, an end, an error). seen_bytes: of a
    // reader that peeks, and for whom more has to come.
    bool is_ready(Direction direction, std::uint64_t seen_bytes = 0) const;
    std::uint64_t readable_bytes() const;
    std::uint64_t unsent_bytes() const;  // produced, not yet consumed by the peer

    void shutdown_write();
    void shutdown_read();
    // By the last holder, or by the agent in its place: FIN, or RST where unread data is lost or asked for.
    // Calls of other threads that are under way come first, as long as they take no more than 0.1 s.
    void close(CloseMode mode);
    // The far end is gone without a word (its agent says so): FIN, or RST where it had not read everything,
    // as if it had closed. Only where nobody holds the far end any more, since this writes the peer's lines.
    // is_cut: with the way to it, and what it sent last may be lost: a reset.
    void peer_vanished(bool is_cut = false);
    // In a forked child: whether the slab is not mapped here (gntdev's pages in a PV guest), and mapping it
    // where it was. Errors: system.
    bool has_lost_slab() const { return slab_.is_lost(); }
    [[nodiscard]] Result<std::size_t> restore_slab(int fd);
    // There is nothing to map: the connection is reset, for this process alone.
    void lose_slab();
    // Between guests: that this process has the slab mapped, and whether nobody of the far side has it any
    // more.
    void say_held(std::uint32_t holder) { xylem::say_held(holders_of(page().side), holder); }
    bool is_far_side_gone() const { return !may_be_held(holders_of(1 - page().side)); }
    // Connecting end, first of all. False: the far program took the call for an unanswered one.
    bool make_call();
    // Accepting end, taken from a queue whose agent is gone. True: no program has the connecting end, or ever
    // will; drop this one without close().
    bool give_up_call();
    // Another use of a connection that both ends closed with CloseMode::keep, by the two processes alone
    // (reuse.cpp). By whoever alone holds the end; the accepting end's waiter is told of a caller as of data.
    bool is_kept() const;
    // A hint, so that a caller does not keep what the far end never will.
    void say_would_keep() { view_.own->producer.would_keep.store_relaxed(1); }
    bool would_peer_keep() const { return view_.peer->producer.would_keep.load_relaxed() != 0; }
    // Neither end will use it again, or at least the far one not: close(CloseMode::abort) and forget it.
    bool is_left() const;
    // Whether reaches(token) is true of a doorbell that the peer shows for the direction.
    template <class Reaches>
    bool reaches_waiter(Direction direction, Reaches reaches) const {
        const AtomicU64* slots = peer_waiters(direction);
        return std::any_of(slots, slots + kWaiterSlots, [&](const AtomicU64& slot) {
            const WaitToken token(slot.load_relaxed());
            return token && reaches(token);
        });
    }
    // Connecting end: whether the far end is ready, and then. False: is_left(), by now.
    bool may_begin_again() const;
    bool begin_again(std::uint32_t caller_port);
    // Through a bridge the far end hears of it later, and may have left by then: the call is made once it has
    // heard.
    bool is_heard() const;
    bool is_refused() const;
    // Accepting end: whether there is a caller, then taking it. 0: there is none, or the agent was faster to
    // end the keeping.
    bool has_caller() const;
    std::uint32_t accept_again();
    // False: there is a caller.
    bool stop_keeping();
    // SO_ERROR: the pending errno, once; 0 if none.
    int take_error();
    // An error that was taken and could not be reported after all, because bytes had to be.
    void put_back_error(int error) { page().pending_error.store_relaxed(static_cast<std::uint32_t>(error)); }

    WaiterSlots waiters(Direction direction);
    // For what this end did or found out by itself: the peer has not kicked anybody for it.
    void wake_all_own_waiters() const;
    EndPage& page() const { return *page_.as<EndPage>(); }
    explicit operator bool() const { return static_cast<bool>(page_); }

  private:
    Stream(Mapping slab, Mapping page, const SlabView& view, BellRinger& bells)
        : slab_(std::move(slab)), page_(std::move(page)), view_(view), bells_(&bells) {}

    Producer producer() const {
        const std::uint64_t size_bytes = page().ring_size_bytes[page().side];
        return {page().tx,     page().copy_policy, view_.own->producer, view_.peer->consumer,
                view_.tx_ring, size_bytes};
    }
    Consumer consumer() const {
        const std::uint64_t size_bytes = page().ring_size_bytes[1 - page().side];
        return {page().rx, view_.own->consumer, view_.peer->producer, view_.rx_ring, size_bytes};
    }
    HolderBytes& holders_of(unsigned side) const {
        return *slab_.as<HolderBytes>(holder_offset(side, kAnyHolder));
    }
    // Replies are timed after four sends in kReplySample: if the program makes a request of several sends, it
    // is the last of them that counts, and what sends without end costs no more than these looks at the
    // clock. Before the bytes are published, and taken back if none were: the reply may be there at once.
    static constexpr std::uint64_t kReplySample = 64;
    static constexpr std::uint64_t kTimedSends = 4;
    void note_question() {
        const std::uint64_t turn = page().counters.send_calls.load_relaxed() % kReplySample;
        if (turn <= kTimedSends && page().side == 0)
            page().asked_at_ns.store_relaxed(turn < kTimedSends ? span_now_ns() : 0);
    }
    void forget_question() {
        if (page().side == 0) page().asked_at_ns.store_relaxed(0);
    }
    void note_received() {
        const std::uint64_t asked_at_ns = page().asked_at_ns.load_relaxed();
        if (asked_at_ns != 0) note_reply(asked_at_ns);
    }
    void note_reply(std::uint64_t asked_at_ns);
    void note_room();
    void note_full(Producer& ring);
    void note_peer_state();
    void fail_connection(std::uint32_t status, int error);
    tl::unexpected<Error> reject_lie();
    tl::unexpected<Error> no_more_writing();
    Result<std::size_t> produce_chunks(IoCursor& source);
    Result<std::size_t> nothing_to_read(std::uint64_t skip_bytes);
    Result<std::size_t> send_locked(IoCursor& source, Cursor* place);
    void publish_end_if_shut();
    bool is_plainly_open() const;
    bool stop_reading();
    bool is_writer_worth_waking() const;
    const AtomicU64* peer_waiters(Direction direction) const {
        const WakeupLine& line = view_.peer->wakeup;
        return direction == Direction::readable ? line.readable : line.writable;
    }
    bool does_anybody_wait(Direction direction) const {
        std::uint64_t any = 0;
        for (unsigned i = 0; i < kWaiterSlots; ++i) any |= peer_waiters(direction)[i].load_relaxed();
        return any != 0;
    }
    // Kicks the peer's waiters for the direction in which this end made progress: after producing, those that
    // wait to read; after consuming, those that wait to write.
    void kick(Direction direction) const {
        // At one that is not accepted a listener waits, which looks at the stream when it accepts
        // (reuse.cpp); but a bridge that has heard carries what there is.
        if (does_anybody_wait(direction) && (!is_unaccepted() || is_heard())) kick_waiters(direction);
    }
    void wake_own_waiters(Direction direction) const;
    void publish_tx_state(TxState state);
    void reset_page();
    void leave();
    bool open_again(std::uint32_t before);
    void kick_waiters(Direction direction) const;
    bool is_drained() const;
    bool is_unaccepted() const;
    std::uint32_t tagged(TxState state) const { return tagged_state(page().use.load_relaxed(), state); }
    bool has(std::uint32_t status) const { return (page().status.load_acquire() & status) != 0; }
    // As the present use has it: a kept end's last word is fin, and one of the use before says nothing yet.
    TxState peer_state() const;
    bool is_peer_reading() const;
    bool has_published_end() const;

    Mapping slab_;
    Mapping page_;
    SlabView view_{};
    BellRinger* bells_ = nullptr;
};

}  // namespace xylem
