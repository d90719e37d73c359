// The places in which the waiters of one end and one direction name themselves. Which of them are taken is
// decided in the end page, which only the own domain writes; the slab merely shows it to the peer.
#pragma once

#include "vsock-transport/ring/slab_layout.h"
#include "vsock-transport/wakeup/wait_token.hpp"

namespace xylem {

class WaiterSlots {
  public:
    static constexpr int kNone = -1;

    WaiterSlots(AtomicU64* owned, AtomicU64* shown) : owned_(owned), shown_(shown) {}

    // Takes a free slot for the token; kNone if all are taken, and then the waiter must not sleep long.
    // The caller goes on with a full fence and a re-check (recipe.hpp).
    int claim(WaitToken token);
    // Shows a new token in a slot that the caller holds.
    void update(int slot, WaitToken token);
    void release(int slot);
    // Frees what a dead process left behind: every slot that names one of its doorbells.
    void release_doorbell(std::uint32_t doorbell_id);

  private:
    AtomicU64* owned_;
    AtomicU64* shown_;
};

}  // namespace xylem
