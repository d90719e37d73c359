// The memory of one connection as an agent has it: a memfd between domains of one kernel, granted pages
// between guests. Whoever maps it gets a descriptor for that.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "control/agent/peer_shares.hpp"
#include "control/agent/quota.hpp"
#include "vsock-transport/base/mapping.hpp"
#include "vsock-transport/base/unique_fd.hpp"
#include "vsock-transport/xen/grant_region.hpp"

namespace xylem::agent {

struct Slab {
    UniqueFd fd;  // a memfd, or of gntalloc; none where a peer granted the pages
    std::uint64_t size_bytes = 0;
    PeerShares::Lease memory;            // while a connection uses it
    PeerShares::Lease grants;            // as long as we grant the pages, or use the peer's
    std::vector<GrantRef> refs;          // of granted pages, as the other guest calls them
    bool is_known_to_peer = false;       // it was told the refs for this connection: it may keep the pages
    std::optional<DomainId> granted_by;  // the peer, if it was not we
    bool is_last_unmap_told = false;     // of pages that we grant: the kernel clears the byte in HolderBytes

    bool is_granted() const { return !refs.empty(); }
    // For a process, to map it once. holder: the number of its byte in HolderBytes, if its pages are the
    // peer's; becomes what the process is to be told, 0 where there is nothing to say. Errors: system.
    Result<UniqueFd> descriptor(std::uint32_t& holder) const;
    // At least its first bytes. Errors: system.
    Result<Mapping> map(std::size_t first_bytes) const;
    Result<Mapping> map() const { return map(size_bytes); }
    // All bytes become zero. Errors: system.
    Result<std::size_t> scrub() const;
};
using SlabPtr = std::shared_ptr<Slab>;

// Zeroed ones. Errors: system.
Result<SlabPtr> make_memfd_slab(std::size_t size_bytes);
Result<SlabPtr> make_granted_slab(DomainId to, std::size_t size_bytes);

}  // namespace xylem::agent
