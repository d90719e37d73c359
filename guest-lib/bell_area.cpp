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
    bell_id = register_bell(domain, 0, pair->kicker.get(), page->get());
    if (bell_id == 0) return false;
    peer_domain = domain;
    mapping = std::move(*mapped);
    waiter = make_private(std::move(pair->waiter));
    kicker = make_private(std::move(pair->kicker));
    memory = make_private(std::move(*page));
    return true;
}

void BellArea::register_again() {
    const std::uint32_t id = register_bell(peer_domain, bell_id, kicker.get(), memory.get());
    if (id != 0) bell_id = id;
}

void BellArea::close() {
    close_private(waiter);
    close_private(kicker);
    close_private(memory);
    mapping.unmap();
}

}  // namespace xylem
