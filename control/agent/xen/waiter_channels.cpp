// WaiterChannels. The channel is closed with the program's descriptor, of which no other is kept.
#include "control/agent/xen/waiter_channels.hpp"

#include <sys/mman.h>

#include <cstring>

#include "vsock-transport/base/mapping.hpp"
#include "vsock-transport/wakeup/doorbell_layout.h"

namespace xylem::agent {

Result<WaiterChannels::Made> WaiterChannels::make(DomainId peer, bool wants_area) {
    auto lease = channels_.take(peer);
    if (!lease) return fail(ErrorKind::exhausted);
    Result<EventChannel> offered = offer_event_channel(peer);
    if (!offered) return fail(offered.error());
    if (const auto restricted = restrict_event_channel(offered->fd.get(), peer); !restricted)
        return fail(restricted.error());
    Made made;
    made.channel.port = offered->port;
    made.channel.quota = std::move(*lease);
    made.waiter = std::move(offered->fd);
    if (!wants_area) return made;
    Result<FlagPage> page = take_page(peer);
    if (!page) return fail(page.error());
    made.channel.area = std::move(*page);
    return made;
}

// Zeroed: whoever had it before may have left flags.
Result<FlagPage> WaiterChannels::take_page(DomainId peer) {
    std::vector<FlagPage>& free = free_pages_[peer];
    if (!free.empty()) {
        const Result<Mapping> mapped =
            Mapping::shared(free.back().fd.get(), kDoorbellAreaBytes, PROT_READ | PROT_WRITE);
        if (!mapped) return fail(mapped.error());
        std::memset(mapped->bytes(), 0, kDoorbellAreaBytes);
        FlagPage page = std::move(free.back());
        free.pop_back();
        return page;
    }
    auto lease = page_shares_.take(peer);
    if (!lease) return fail(ErrorKind::exhausted);
    FlagPage page;
    Result<UniqueFd> granted = grant_pages(peer, &page.ref, 1);
    if (!granted) return fail(granted.error());
    page.fd = std::move(*granted);
    page.quota = std::move(*lease);
    return page;
}

void WaiterChannels::take_back(DomainId peer, WaiterChannel channel) {
    if (!channel.area.fd) return;
    const auto free = free_pages_.find(peer);
    if (free != free_pages_.end()) free->second.push_back(std::move(channel.area));
}

}  // namespace xylem::agent
