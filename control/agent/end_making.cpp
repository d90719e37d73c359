// Making ends: a zeroed, sealed page with the identity in it, kept mapped as long as the end lives.
#include "control/agent/end_making.hpp"

#include "control/agent/agent.hpp"
#include "vsock-transport/local/side_lock.hpp"
#include "vsock-transport/local/slab_memfd.hpp"

namespace xylem::agent {

End* make_end(Agent& agent, EndIdentity identity, std::uint32_t connecting_domain, SlabPtr slab,
              std::uint64_t cookie, Reason& why) {
    why = Reason::quota_reached;
    if (!agent.ends.has_room(identity.peer_domain)) return nullptr;
    why = Reason::no_memory;
    Result<UniqueFd> fd = make_sealed_memfd("xylem-end", kEndPageBytes);
    if (!fd) return nullptr;
    Result<Mapping> page = Mapping::shared(fd->get(), kEndPageBytes, PROT_READ | PROT_WRITE);
    if (!page) return nullptr;
    identity.end_id = agent.ends.next_id();
    identity.is_granted = slab->is_granted();
    initialise_end_page(*page->as<EndPage>(), identity);
    auto end = std::make_unique<End>();
    end->identity = identity;
    end->connecting_domain = connecting_domain;
    end->cookie = cookie;
    end->slab = std::move(slab);
    end->is_far_side_seen = !end->slab->is_granted() &&
                            is_side_locked(end->slab->fd.get(), identity.connection_id, 1 - identity.side);
    end->page_fd = std::move(*fd);
    end->page = std::move(*page);
    why = Reason::bad_request;  // the connecting domain used one connection id twice
    agent.ended_data.know(identity.peer_domain);
    return agent.ends.add(std::move(end));
}

}  // namespace xylem::agent
