// What a program copies of what its ring sockets move, while somebody captures (`xylem capture`). A ring in
// its session page, with many writers, the program's threads, and one reader, the command. It takes a page
// of memory before the first record. A writer never waits: what finds no room is counted and lost.
//
//   offset 0   CaptureRecord, payload, up to 7 bytes of nothing; the next one; ...; records do not wrap, what
//   is
//              left behind the last one is one of kind `skip`, of which there may be no more than the first 8
//              bytes
//
// Why a record is seen whole or not at all, and none is written over before it was read:
//   (Q1) the reader has copied a record, fills its place with zeroes, then stores tail with release;
//   (Q2) a writer loads tail with acquire, then takes a place below tail + size by compare-and-swap of head:
//   the
//        place is its own, and zero;
//   (Q3) it fills in everything, then stores size_bytes with release;
//   (Q4) the reader loads size_bytes at tail with acquire: zero is "not whole yet", else all of (Q3) is
//   there.
// A thread that never comes to (Q3) would hold up the reader, which therefore skips such a place after a
// while.
//
// The reader may be root's and the program anybody's: it checks sizes, and believes nothing else
// (capture_reader).
#pragma once

#include <cstddef>
#include <cstdint>

#include "vsock-transport/base/atomic.hpp"
#include "vsock-transport/base/socket_name.h"

namespace xylem {

inline constexpr std::size_t kCaptureRingBytes = 4 << 20;
inline constexpr std::size_t kCaptureAlign = 8;
inline constexpr std::size_t kMaxPieceBytes =
    32 << 10;  // of payload in one record: less than an IP packet holds

enum class CaptureKind : std::uint32_t {
    skip = 1,
    connected,  // this end called
    accepted,   // this end was called
    sent,
    received,
    finished,       // no more will be sent
    peer_finished,  // no more will come
    aborted,        // by this end
    peer_aborted,
    closed,  // finished, and the program has it no more
};

struct CaptureRecord {
    AtomicU32 size_bytes;          // of all, a multiple of kCaptureAlign; 0: not whole yet
    std::uint32_t kind;            // CaptureKind
    std::uint64_t time_ns;         // CLOCK_REALTIME; before a piece was sent, or after it was received
    std::uint64_t end_id;          // at the agent
    std::uint64_t sent_bytes;      // by this end in this use, before this piece
    std::uint64_t received_bytes;  // the same
    std::uint32_t use;             // of the connection (stream/reuse.cpp)
    std::uint32_t moved_bytes;     // of the piece
    std::uint32_t stored_bytes;    // that follow this header: all, or as many as the reader wants
    std::uint32_t reserved;
    SocketName local;
    SocketName peer;
};
static_assert(sizeof(CaptureRecord) == 120);
static_assert(sizeof(CaptureRecord) % kCaptureAlign == 0);

struct CaptureArea {
    AtomicU32 is_on;                    // by the agent
    AtomicU32 snap_bytes;               // by the agent: so many of each piece are enough
    alignas(64) AtomicU64 head;         // by writers: how much was taken, ever
    alignas(64) AtomicU64 tail;         // by the reader: how much was read
    alignas(64) AtomicU64 lost_pieces;  // for want of room
    AtomicU64 lost_bytes;
    alignas(64) std::byte ring[kCaptureRingBytes];
};
static_assert(sizeof(CaptureArea) == 4 * 64 + kCaptureRingBytes);

}  // namespace xylem
