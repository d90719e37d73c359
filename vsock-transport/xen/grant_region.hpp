// Slab and page memory between guests of one machine: pages that one domain grants to another, which maps
// them. Each region has an open file of its own, of gntalloc where it is granted and of gntdev where it is
// mapped, and lies at offset 0 of it. So whoever gets such a descriptor (SCM_RIGHTS) can map this one region
// and no other. Thread safe: no state but the descriptors.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vsock-transport/base/result.hpp"
#include "vsock-transport/base/unique_fd.hpp"

namespace xylem {

using DomainId = std::uint16_t;  // a domid of Xen
using GrantRef = std::uint32_t;

// The first id that is none of a guest: DOMID_FIRST_RESERVED of <xen/xen.h>.
inline constexpr DomainId kFirstReservedDomain = 0x7FF0;

// Grants count zeroed, writable pages to a domain: refs[0..count) says how they are called there. They can be
// mapped, all together, as often as one likes, and live as long as the descriptor, a mapping or the peer's.
// Errors: system: ENOENT (no such device: not a Xen guest), ENOSPC (gntalloc's limit), ENOMEM, EACCES;
// out_of_range (domain, count).
[[nodiscard]] Result<UniqueFd> grant_pages(DomainId to, GrantRef* refs, std::size_t count);

// Makes pages that a domain granted mappable, once, all together and by this descriptor alone; where a
// mapping does not outlive fork(), the child needs a descriptor of its own. The refs are only looked at when
// they are mapped: mmap() fails with EINVAL where one of them is not granted.
// Errors: system: ENOENT, ENOMEM, EINVAL (too many for gntdev's limit), EACCES; out_of_range.
[[nodiscard]] Result<UniqueFd> attach_pages(DomainId from, const GrantRef* refs, std::size_t count);

// Has the kernel set a byte of a region to zero once nobody here has it mapped any more, and then ring an
// event channel of ours (0: none): of pages that were granted, no process and no descriptor; of pages that
// were attached, whoever mapped them by this descriptor, and its fork children. Before the descriptor is sent
// on. Errors: system.
[[nodiscard]] Result<std::size_t> clear_when_unmapped(int region, std::size_t offset_bytes,
                                                      std::uint32_t port = 0);

}  // namespace xylem
