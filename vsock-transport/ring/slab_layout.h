// The bytes that the two ends of a connection share. Everything here can be written by the other domain at
// any moment: read a word once, check it, use only the checked copy (XSA-86, XSA-155).
//
//   offset 0                SlabHeader: constant after the creating agent filled it in; for humans and dumps
//   offset 256 + 256 * e    EndBlock of end e (0 = connecting end, 1 = accepting end)
//   offset 1024 + 1024 * e  HolderBytes of end e, in granted pages
//   offset 4096             ring that end 0 produces, ring_size_bytes[0] bytes
//   behind it               ring that end 1 produces, ring_size_bytes[1] bytes
//
// Each EndBlock has one writer, the end it belongs to; once nobody holds that end, the other end's agent may
// publish its last states there (stream/shutdown.cpp, peer_vanished()). Producer, consumer and wake-up words
// sit on cache lines of their own, so that a line moves between processors only when what it says has
// changed.
//
// A connection that both ends closed in order may be used again by the same two processes, without their
// agents (stream/reuse.cpp). Cursors go on; the state words carry the number of the use (tagged_state()), so
// that what an end said of the use before is not taken for the new one.
//
// Cursors are 64-bit, count bytes since the connection began, never wrap in practice and are used modulo
// 2^64 all the same. A ring holds head - tail bytes; the byte with cursor c lies at (c - origin) & (size -
// 1). The producer may move origin to head while the ring is empty: then small messages keep to a few pages.
//
// Why no byte is seen before it was written, and none overwritten before it was read:
//   (P1) the producer copies bytes, then stores head with release;
//   (C1) the consumer loads head with acquire, then copies: it sees the bytes of (P1). Streaming stores,
//        which a release store does not cover, end in a store fence of their own before it (bulk_copy.hpp).
//   (C2) the consumer copies out, then stores tail with release;
//   (P2) the producer loads tail with acquire, then overwrites: after the copy-out of (C2).
//   (O)  the producer stores origin only after it loaded a tail equal to its head, and before its next head.
//        So origin cannot move while a byte waits, and a consumer that loads head with acquire, and then
//        origin, has the origin of all bytes up to that head.
//   (R)  the connecting end begins a use by storing its consumer's word, caller_port, and with release its
//        producer's; the accepting end loads that with acquire, and so has the others.
//   (F)  a stream's state is stored with release after its last head; a reader that loads state with acquire
//        and then head, sees the final head if it sees the final state: EOF never overtakes data.
// Why no wake-up is lost (the recipe of wakeup/recipe.hpp; modelled in tests/model/wakeup.pml):
//   (W1) waiter: store slot, full fence, load cursor, sleep if nothing changed;
//   (K1) kicker: store cursor, full fence, load slot, kick if it names somebody.
//   With both fences, at least one of the two loads sees the other's store, whichever fence came first.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vsock-transport/base/atomic.hpp"

namespace xylem {

inline constexpr std::size_t kCacheLineBytes = 64;
inline constexpr std::size_t kPageBytes = 4096;
inline constexpr std::uint32_t kSlabMagic = 0x4C53'5958;  // "XYSL", little endian
inline constexpr std::uint16_t kSlabVersion = 6;
inline constexpr unsigned kWaiterSlots = 4;

// What a producer says of its stream. It only ever grows; a value that is not here counts as reset. kept:
// fin, and this end would take part in another use; left: it would no more (the one step back is left to
// kept, stream/reuse.cpp).
enum class TxState : std::uint32_t { open = 0, fin = 1, kept = 2, left = 3, reset = 4, reset_after_fin = 5 };
// What a consumer says of its stream: closed = nobody will read again.
enum class RxState : std::uint32_t { open = 0, closed = 1 };

// A state word: bits 0..7 the state, bits 8..31 which use of the slab it speaks of.
inline constexpr std::uint32_t kMaxUse = (1U << 24) - 1;
template <class State>
constexpr std::uint32_t tagged_state(std::uint32_t use, State state) {
    return use << 8 | static_cast<std::uint32_t>(state);
}
constexpr std::uint32_t use_of(std::uint32_t word) { return word >> 8; }
constexpr std::uint32_t state_of(std::uint32_t word) { return word & 0xFF; }

struct SlabHeader {
    std::uint32_t magic;
    std::uint16_t version;
    std::uint16_t header_bytes;
    std::uint64_t ring_size_bytes[2];
    std::uint64_t ring_offset_bytes[2];
};

struct alignas(kCacheLineBytes) ProducerLine {
    AtomicU64 head;         // bytes produced so far
    AtomicU64 origin;       // cursor of the byte at offset 0
    AtomicU32 state;        // TxState, tagged
    AtomicU32 caller_port;  // of the connecting end, in this use; 0 in the first
    AtomicU32 would_keep;   // of the accepting end: not 0 if it can keep this connection
};

struct alignas(kCacheLineBytes) ConsumerLine {
    AtomicU64 tail;   // bytes consumed so far
    AtomicU32 state;  // RxState, tagged
};

// Who of this end sleeps. A word is 0 or a WaitToken (wakeup/wait_token.hpp).
struct alignas(kCacheLineBytes) WakeupLine {
    AtomicU64 readable[kWaiterSlots];  // waits for the peer to produce
    AtomicU64 writable[kWaiterSlots];  // waits for the peer to consume
};

// Of the connecting end. An agent that dies may have queued the accepting end and never answered the program
// that asked. So that program and the one that takes such an end from the queue both leave `asked`, by
// compare-and-swap: the first of them says whether there is a connection.
enum class CallState : std::uint32_t { asked = 0, made = 1, given_up = 2 };
struct alignas(kCacheLineBytes) CallLine {
    AtomicU32 state;  // CallState
};

struct EndBlock {
    ProducerLine producer;
    ConsumerLine consumer;
    WakeupLine wakeup;
    CallLine call;
};

// Which processes of an end have the slab mapped, between guests: there only the kernel of their guest knows.
// Each sets the byte whose number its agent gave it, and the kernel clears that byte once the mapping is gone
// (unmap notification of gntalloc and gntdev), however the process ends. Byte 0 stays: some process had it.
// Looked at when the far agent is gone (control/agent/left_behind.cpp). Who lies here loses its connection.
inline constexpr std::size_t kHolders = 1024;
struct HolderBytes {
    Atomic<std::uint8_t> bytes[kHolders];
};
inline constexpr std::uint32_t kAnyHolder = 0;
// Of the end whose domain grants the pages: the kernel tells only of the last one.
inline constexpr std::uint32_t kGrantingHolder = 1;

inline constexpr std::size_t kEndBlockOffsetBytes = 256;
inline constexpr std::size_t kHolderBytesOffsetBytes = 1024;
inline constexpr std::size_t kRingsOffsetBytes = kPageBytes;

static_assert(sizeof(SlabHeader) == 40);
static_assert(offsetof(ProducerLine, origin) == 8 && offsetof(ProducerLine, state) == 16);
static_assert(offsetof(ConsumerLine, state) == 8);
static_assert(sizeof(WakeupLine) == kCacheLineBytes);
static_assert(sizeof(CallLine) == kCacheLineBytes);
static_assert(sizeof(EndBlock) == 4 * kCacheLineBytes && sizeof(EndBlock) == kEndBlockOffsetBytes);
static_assert(sizeof(HolderBytes) == kHolders);
static_assert(kEndBlockOffsetBytes + 2 * sizeof(EndBlock) <= kHolderBytesOffsetBytes);
static_assert(kHolderBytesOffsetBytes + 2 * sizeof(HolderBytes) <= kRingsOffsetBytes);

constexpr std::size_t holder_offset(unsigned side, std::uint32_t holder) {
    return kHolderBytesOffsetBytes + side * sizeof(HolderBytes) + holder;
}

}  // namespace xylem
