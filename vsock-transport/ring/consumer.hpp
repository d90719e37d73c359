// The consuming half of a ring. One thread at a time (the end's receive lock).
#pragma once

#include "vsock-transport/base/result.hpp"
#include "vsock-transport/ring/geometry.hpp"
#include "vsock-transport/ring/io_cursor.hpp"
#include "vsock-transport/ring/slab_layout.h"

namespace xylem {

struct ConsumerState {
    AtomicU64 tail;
    AtomicU64 peer_head;
    AtomicU64 peer_origin;  // loaded with peer_head
};

class Consumer {
  public:
    Consumer(ConsumerState& state, ConsumerLine& own, const ProducerLine& peer, const std::byte* data,
             std::uint64_t size_bytes)
        : state_(state), own_(own), peer_(peer), data_(data), size_bytes_(size_bytes) {}

    // Bytes that can be read; asks the peer's line only if the cached head leaves less than wanted.
    // Errors: peer_lied.
    [[nodiscard]] Result<std::uint64_t> used(std::uint64_t wanted_bytes) {
        const std::uint64_t known = used_bytes(state_.peer_head.load_relaxed(), state_.tail.load_relaxed());
        if (known >= wanted_bytes) return known;
        return look();
    }

    // Copies length bytes (<= used) from `skip` bytes behind tail on; the ring stays as it is (MSG_PEEK).
    void copy(IoCursor& destination, std::size_t length, std::uint64_t skip_bytes) const {
        const Cursor from = state_.tail.load_relaxed() + skip_bytes;
        const std::size_t offset = index_of(from, state_.peer_origin.load_relaxed(), size_bytes_);
        const Span2 span = split_at_wrap(offset, length, size_bytes_);
        destination.copy_in(data_ + span.first_offset, span.first_length);
        destination.copy_in(data_, span.second_length);
    }

    // Gives length bytes (<= used) back to the producer.
    void consume(std::size_t length) {
        const Cursor tail = state_.tail.load_relaxed() + length;
        state_.tail.store_relaxed(tail);
        own_.tail.store_release(tail);  // (C2) pairs with producer.cpp look_for_free()
    }

    // Copies and gives back what there is, at most room_bytes, where it is one stretch. 0: nothing happened.
    [[nodiscard]] std::size_t consume_at_once(void* bytes, std::size_t room_bytes) {
        const Result<std::uint64_t> there = used(room_bytes);
        if (!there) return 0;
        const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(*there, room_bytes));
        const std::size_t offset =
            index_of(state_.tail.load_relaxed(), state_.peer_origin.load_relaxed(), size_bytes_);
        if (length > size_bytes_ - offset) return 0;
        std::memcpy(bytes, data_ + offset, length);
        consume(length);
        return length;
    }

    void republish() { own_.tail.store_release(state_.tail.load_relaxed()); }

  private:
    [[nodiscard]] Result<std::uint64_t> look();

    ConsumerState& state_;
    ConsumerLine& own_;
    const ProducerLine& peer_;
    const std::byte* data_;
    std::uint64_t size_bytes_;
};

}  // namespace xylem
