// Slots are claimed by compare-and-swap in the end page, so threads and processes of one end need no lock.
#include "vsock-transport/wakeup/waiter_slots.hpp"

namespace xylem {

int WaiterSlots::claim(WaitToken token) {
    if (!token) return kNone;
    for (unsigned i = 0; i < kWaiterSlots; ++i) {
        if (owned_[i].load_relaxed() != 0) continue;
        if (!owned_[i].compare_exchange(0, token.bits())) continue;
        shown_[i].store_release(token.bits());  // (W1) seen by Stream::kick_waiters() of the peer
        return static_cast<int>(i);
    }
    return kNone;
}

void WaiterSlots::update(int slot, WaitToken token) {
    if (slot == kNone) return;
    owned_[slot].store_relaxed(token.bits());
    shown_[slot].store_release(token.bits());  // (W1) as above
}

void WaiterSlots::release(int slot) {
    if (slot == kNone) return;
    shown_[slot].store_relaxed(0);
    owned_[slot].store_release(0);  // after it, another waiter may claim the slot
}

void WaiterSlots::release_doorbell(std::uint32_t doorbell_id) {
    for (unsigned i = 0; i < kWaiterSlots; ++i) {
        const WaitToken token(owned_[i].load_acquire());
        if (token.doorbell_id() == doorbell_id) release(static_cast<int>(i));
    }
}

}  // namespace xylem
