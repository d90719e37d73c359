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
    [[nodiscard]] Result<std::uint64_t> used(std::uint64_t wanted_bytes);

    // Copies length bytes (<= used) from `skip` bytes behind tail on; the ring stays as it is (MSG_PEEK).
    void copy(IoCursor& destination, std::size_t length, std::uint64_t skip_bytes) const;

    // Gives length bytes (<= used) back to the producer.
    void consume(std::size_t length);

    void republish() { own_.tail.store_release(state_.tail.load_relaxed()); }

  private:
    ConsumerState& state_;
    ConsumerLine& own_;
    const ProducerLine& peer_;
    const std::byte* data_;
    std::uint64_t size_bytes_;
};

}  // namespace xylem
