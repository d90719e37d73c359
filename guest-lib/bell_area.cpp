// BellArea: a socket pair and a page, named to the agent.
#include "guest-lib/bell_area.hpp"

#include "guest-lib/bells.hpp"
#include "guest-lib/private_fds.hpp"
#include "vsock-transport/local/local_kick.hpp"
#include "vsock-transport/local/slab_memfd.hpp"

namespace xylem {

bool BellArea::make(std::uint32_t domain) {
    Result<LocalBell> pair = make_local_bell();
    Result<UniqueFd> page = make_sealed_memfd("xylem-doorbell", kDoorbellAreaBytes);
    if (!pair || !page) return false;
    Result<Mapping> mapped = Mapping::shared(page->get(), kDoorbellAreaBytes, PROT_READ | PROT_WRITE);
    if (!mapped) return false;
    ChannelParts parts;
    bell_id = register_bell(domain, 0, pair->kicker.get(), page->get(), &parts);
    if (bell_id == 0) return false;
    if (parts.waiter && !open_channel(std::move(parts.waiter), std::move(parts.area))) {
        unregister_bell(bell_id);
        return false;
    }
    peer_domain = domain;
    mapping = std::move(*mapped);
    waiter = make_private(std::move(pair->waiter));
    kicker = make_private(std::move(pair->kicker));
    memory = make_private(std::move(*page));
    return true;
}

bool BellArea::open_channel(UniqueFd rung, UniqueFd page) {
    Result<Mapping> mapped = Mapping::shared(page.get(), kDoorbellAreaBytes, PROT_READ | PROT_WRITE);
    if (!mapped) return false;
    granted = std::move(*mapped);
    channel.open(make_private(std::move(rung)));
    return true;
}

void BellArea::set_sleeping(bool sleeping) {
    flags().set_sleeping(sleeping);
    if (granted) granted_flags().set_sleeping(sleeping);
}

bool BellArea::has_ready() const { return flags().has_ready() || (granted && granted_flags().has_ready()); }

void BellArea::drain() {
    drain_local(waiter.get());
    drain_channel();
}

void BellArea::drain_channel() { take_kicks(channel, peer_domain); }

// In any case: a peer may kick without taking the flag down, and one that took it down, before it was shown
// again, may kick only now.
void BellArea::calm_down() {
    drain_local(waiter.get());
    flags().set_sleeping(true);
    if (!granted) return;
    drain_channel();
    granted_flags().set_sleeping(true);
}

void BellArea::kick() const { kick_local(kicker.get()); }

// The next agent relays the kicks of those who do not know the event channel by now.
void BellArea::register_again() {
    const std::uint32_t id = register_bell(peer_domain, bell_id, kicker.get(), memory.get());
    if (id != 0) bell_id = id;
}

void BellArea::close() {
    close_private(waiter);
    close_private(kicker);
    close_private(memory);
    mapping.unmap();
    UniqueFd rung = channel.close();
    close_private(rung);
    granted.unmap();
}

}  // namespace xylem
