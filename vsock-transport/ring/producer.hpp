// The producing half of a ring. One thread at a time (the end's transmit lock).
#pragma once

#include "vsock-transport/base/result.hpp"
#include "vsock-transport/base/span_clock.hpp"
#include "vsock-transport/ring/copy_policy.hpp"
#include "vsock-transport/ring/geometry.hpp"
#include "vsock-transport/ring/io_cursor.hpp"
#include "vsock-transport/ring/slab_layout.h"

namespace xylem {

// What only this end can write: the truth about its own cursor, and the last believed one of the peer.
struct ProducerState {
    AtomicU64 head;
    AtomicU64 peer_tail;
    AtomicU64 origin;  // cursor of the byte at offset 0
};

class Producer {
  public:
    Producer(ProducerState& state, CopyPolicy& policy, ProducerLine& own, const ConsumerLine& peer,
             std::byte* data, std::uint64_t size_bytes)
        : state_(state), policy_(policy), own_(own), peer_(peer), data_(data), size_bytes_(size_bytes) {}

    // Free bytes; asks the peer's line only if the cached tail leaves less than wanted.
    // Errors: peer_lied.
    [[nodiscard]] Result<std::uint64_t> free_for(std::uint64_t wanted_bytes);

    // Before `length` bytes are produced: lets the next one lie at offset 0 if the ring is empty and it pays,
    // so that small messages stay in a few pages and in the cache. Errors: peer_lied.
    [[nodiscard]] Result<bool> rewind_if_empty(std::size_t length);

    // Nothing is free and the caller will wait: that is part of what a copy costs.
    void note_full() { policy_.ring_full(span_now_ns()); }

    // Copies length bytes (<= free) behind head and publishes them.
    void produce(IoCursor& source, std::size_t length);

    // Stores the own words into the slab again: after a holder died between two stores.
    void republish() {
        own_.origin.store_relaxed(state_.origin.load_relaxed());
        own_.head.store_release(state_.head.load_relaxed());
    }

  private:
    void copy(IoCursor& source, const Span2& span);
    void copy_bulk(IoCursor& source, const Span2& span);

    ProducerState& state_;
    CopyPolicy& policy_;
    ProducerLine& own_;
    const ConsumerLine& peer_;
    std::byte* data_;
    std::uint64_t size_bytes_;
};

}  // namespace xylem
