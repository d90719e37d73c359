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
    [[nodiscard]] Result<std::uint64_t> free_for(std::uint64_t wanted_bytes) {
        const std::uint64_t known =
            free_bytes(state_.head.load_relaxed(), state_.peer_tail.load_relaxed(), size_bytes_);
        if (known >= wanted_bytes) return known;
        return look_for_free();
    }

    // Before `length` bytes are produced: lets the next one lie at offset 0 if the ring is empty and it pays,
    // so that small messages stay in a few pages and in the cache. Errors: peer_lied.
    [[nodiscard]] Result<bool> rewind_if_empty(std::size_t length) {
        if (!is_worth_rewinding(state_.head.load_relaxed(), state_.origin.load_relaxed(), length))
            return false;
        return look_if_empty();
    }

    // Nothing is free and the caller will wait: that is part of what a copy costs.
    void note_full() { policy_.ring_full(span_now_ns()); }

    // Copies length bytes (<= free) behind head and publishes them.
    void produce(IoCursor& source, std::size_t length) {
        const Cursor head = state_.head.load_relaxed();
        const std::size_t offset = index_of(head, state_.origin.load_relaxed(), size_bytes_);
        const Span2 span = split_at_wrap(offset, length, size_bytes_);
        if (length < kBulkBytes) {
            copy(source, span);
        } else {
            copy_bulk(source, span);
        }
        publish(head + length);
        if (length < kBulkBytes) fetch_ahead(head + length, length);
    }

    // The same for one short stretch, where that takes no look at the peer. False: nothing happened.
    [[nodiscard]] bool produce_at_once(const void* bytes, std::size_t length) {
        const Cursor head = state_.head.load_relaxed();
        const Cursor origin = state_.origin.load_relaxed();
        const std::size_t offset = index_of(head, origin, size_bytes_);
        const bool fits = length <= free_bytes(head, state_.peer_tail.load_relaxed(), size_bytes_) &&
                          length <= size_bytes_ - offset;
        if (!fits || length >= kBulkBytes || is_worth_rewinding(head, origin, length)) return false;
        std::memcpy(data_ + offset, bytes, length);
        publish(head + length);
        fetch_ahead(head + length, length);
        return true;
    }

    // Stores the own words into the slab again: after a holder died between two stores.
    void republish() {
        own_.origin.store_relaxed(state_.origin.load_relaxed());
        own_.head.store_release(state_.head.load_relaxed());
    }

  private:
    [[nodiscard]] Result<std::uint64_t> look_for_free();
    [[nodiscard]] Result<bool> look_if_empty();
    // Release: a holder that is killed here must not have moved the cursor before the bytes were copied.
    void publish(Cursor head) {
        state_.head.store_release(head);
        own_.head.store_release(head);  // (P1) pairs with consumer.cpp look()
    }
    // For another message like the last: brings the lines here that it will lie in, which the consumer's
    // processor had last. Else the fence behind its publication waits for each of them in turn. Only whole
    // lines that are known to be free: others the consumer still wants, the one with the last bytes above
    // all.
    void fetch_ahead(Cursor head, std::size_t length) {
        const std::size_t offset = index_of(head, state_.origin.load_relaxed(), size_bytes_);
        const std::size_t shared = (0 - offset) % kCacheLineBytes;
        const std::uint64_t free = free_bytes(head, state_.peer_tail.load_relaxed(), size_bytes_);
        const std::size_t wanted = shared + std::min(length, kFetchAheadBytes);
        if (length > shared && wanted <= free && wanted <= size_bytes_ - offset)
            fetch_for_writing(data_ + offset + shared, wanted - shared);
    }
    void copy(IoCursor& source, const Span2& span) {
        source.copy_out(data_ + span.first_offset, span.first_length);
        source.copy_out(data_, span.second_length);
    }
    void copy_bulk(IoCursor& source, const Span2& span);

    ProducerState& state_;
    CopyPolicy& policy_;
    ProducerLine& own_;
    const ConsumerLine& peer_;
    std::byte* data_;
    std::uint64_t size_bytes_;
};

}  // namespace xylem
