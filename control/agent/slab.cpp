// Slab. What a peer granted is attached anew for each mapping: gntdev maps an entry once, all of it.
#include "control/agent/slab.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <cstring>

#include "vsock-transport/local/slab_memfd.hpp"
#include "vsock-transport/ring/slab_layout.h"

namespace xylem::agent {

Result<UniqueFd> Slab::descriptor(std::uint32_t& holder) const {
    if (granted_by) {
        Result<UniqueFd> attached = attach_pages(*granted_by, refs.data(), refs.size());
        if (attached && !clear_when_unmapped(attached->get(), holder_offset(1, holder))) holder = 0;
        return attached;
    }
    holder = is_last_unmap_told ? kGrantingHolder : 0;
    UniqueFd copy(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
    if (!copy) return fail_errno();
    return copy;
}

Result<Mapping> Slab::map(std::size_t first_bytes) const {
    if (!granted_by) return Mapping::shared(fd.get(), first_bytes, PROT_READ | PROT_WRITE);
    const std::size_t pages = (first_bytes + kPageBytes - 1) / kPageBytes;
    const Result<UniqueFd> attached = attach_pages(*granted_by, refs.data(), pages);
    if (!attached) return fail(attached.error());
    return Mapping::shared(attached->get(), pages * kPageBytes, PROT_READ | PROT_WRITE);
}

Result<std::size_t> Slab::scrub() const {
    if (!is_granted()) return scrub_memfd(fd.get(), size_bytes);
    const Result<Mapping> all = map();
    if (!all) return fail(all.error());
    std::memset(all->bytes(), 0, size_bytes);
    return size_bytes;
}

Result<SlabPtr> make_memfd_slab(std::size_t size_bytes) {
    Result<UniqueFd> fd = make_sealed_memfd("xylem-slab", size_bytes);
    if (!fd) return fail(fd.error());
    auto slab = std::make_shared<Slab>();
    slab->fd = std::move(*fd);
    slab->size_bytes = size_bytes;
    return slab;
}

Result<SlabPtr> make_granted_slab(DomainId to, std::size_t size_bytes) {
    auto slab = std::make_shared<Slab>();
    slab->refs.resize(size_bytes / kPageBytes);
    Result<UniqueFd> fd = grant_pages(to, slab->refs.data(), slab->refs.size());
    if (!fd) return fail(fd.error());
    slab->fd = std::move(*fd);
    slab->size_bytes = size_bytes;
    slab->is_last_unmap_told =
        clear_when_unmapped(slab->fd.get(), holder_offset(0, kGrantingHolder)).has_value();
    return slab;
}

}  // namespace xylem::agent
