// Doorbell: the kicker's half of waking an epoll set or a thread.
// For a set: set the connection's bit, then the word's summary bit, then, after a full fence, take `sleeping`
// and kick. A bit that is already set was set by somebody who kicks, or whose kick is still unread, so the
// common case under load is one load. If that somebody died in between, the owner's bounded sleep and full
// scan find the bit. The index comes from a word that the waiter wrote, so it is checked against the bitmap.
#include "vsock-transport/wakeup/doorbell.hpp"

#include "vsock-transport/local/local_kick.hpp"
#include "vsock-transport/xen/event_channel.hpp"

namespace xylem {
namespace {

// Marks and says whether the owner sleeps.
bool mark_ready(DoorbellArea& area, unsigned index) {
    AtomicU64& word = area.ready[index / 64];
    const std::uint64_t bit = 1ULL << (index % 64);
    if ((word.load_relaxed() & bit) != 0) return false;
    word.fetch_or(bit);  // pairs with the exchange in ReadyArea::collect()
    area.summary[index / 64 / 64].fetch_or(1ULL << (index / 64 % 64));
    full_fence();  // pairs with recipe.hpp sleep_unless(): bit before sleeping, against sleeping before bit
    return area.sleeping.load_relaxed() != 0 && area.sleeping.exchange(0) != 0;
}

}  // namespace

bool Doorbell::ring(WaitToken token) const {
    if (kind_ == KickKind::relayed) {
        const bool is_sent = kick_relay(kick_.get(), token.bits());
        if (!is_sent)
            is_closed_.store_relaxed(1);  // who passed kicks on has gone, or has too many to pass on
        return is_sent;
    }
    if (area_) {
        if (token.index() >= kReadyBits) return false;
        if (!mark_ready(*area_.as<DoorbellArea>(), token.index())) return false;
    } else {
        if (last_rung_.load_relaxed() == token.bits()) return false;
        last_rung_.store_relaxed(token.bits());
    }
    if (kind_ == KickKind::local_socket) return kick_local(kick_.get());
    const bool is_kicked = kick_event_channel(kick_.get(), port_);
    if (!is_kicked) is_closed_.store_relaxed(1);
    return is_kicked;
}

void drain_kicks(KickKind kind, int waiter_fd) {
    if (kind == KickKind::local_socket) return drain_local(waiter_fd);
    drain_event_channel(waiter_fd);
}

bool ReadyArea::has_ready() const {
    for (const AtomicU64& word : area_->summary) {
        if (word.load_relaxed() != 0) return true;
    }
    return false;
}

}  // namespace xylem
