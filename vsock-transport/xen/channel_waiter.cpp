// ChannelWaiter. A masked channel is silent: what rings meanwhile is pending in the hypervisor and comes when
// it is unmasked.
#include "vsock-transport/xen/channel_waiter.hpp"

#include "vsock-transport/xen/event_channel.hpp"

namespace xylem {

bool ChannelWaiter::drain() {
    if (!fd_) return false;
    if (masked_port_.load_acquire() != 0) {
        if (now_ns() < unmask_at_ns_.load_relaxed()) return false;
        const std::uint32_t masked = masked_port_.exchange(0);
        if (masked != 0) unmask_event_channel(fd_.get(), masked);
        return false;
    }
    const std::uint32_t port = take_event(fd_.get());
    if (port == 0) return false;
    const std::uint32_t looks = vain_.fetch_add(1);
    if (looks < kMostVain) {
        unmask_event_channel(fd_.get(), port);
        return false;
    }
    unmask_at_ns_.store_relaxed(deadline_after(kMaskedNs));
    masked_port_.store_release(port);
    return looks == kMostVain;
}

std::uint64_t ChannelWaiter::bound_ns() const {
    if (masked_port_.load_acquire() == 0) return kForever;
    const std::uint64_t now = now_ns();
    const std::uint64_t until = unmask_at_ns_.load_relaxed();
    return until > now ? until - now : 0;
}

}  // namespace xylem
