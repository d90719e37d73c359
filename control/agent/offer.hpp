// The accepting side of a connect: whether a connection that somebody asks for can be a ring, and if so, its
// entry in an accept queue. The same code for other domains and for the own one.
#pragma once

#include <optional>

#include "control/agent/slab_pool.hpp"
#include "control/protocol/link_protocol.h"
#include "control/protocol/reason.hpp"
#include "vsock-transport/stream/region.hpp"

namespace xylem::agent {

struct Agent;

struct Offer {
    std::uint32_t from_domain;
    std::uint64_t connection_id;
    SocketName source;       // claimed
    SocketName destination;  // IPv4-mapped names are unmapped
    SlabGeometry geometry;
    bool is_dry_run;
};

// Reason::ring: the end waits in the queue (or would, in a dry run). slab: null in a dry run.
Reason offer_connection(Agent& agent, const Offer& offer, SlabPtr slab);
// The same for a message of a link; checks everything that came with it. slab_fd may be empty.
Reason offer_from_link(Agent& agent, std::uint32_t domain, const LinkConnectMessage& message,
                       UniqueFd slab_fd);

// What accept() shall report: the claimed source if the own map gives its address to that domain, else the
// address that the map gives to the domain, else, of the own domain only, the claimed one.
std::optional<SocketName> source_name(const Agent& agent, std::uint32_t domain, const SocketName& claimed);

}  // namespace xylem::agent
