// Slab. What a peer granted is attached anew for each mapping: gntdev maps an entry once, and whole.
#include "control/agent/slab.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <cstring>

#include "vsock-transport/local/slab_memfd.hpp"
#include "vsock-transport/ring/slab_layout.h"

namespace xylem::agent {

Result<UniqueFd> Slab::descriptor() const {
    if (granted_by) return attach_pages(*granted_by, refs.data(), refs.size());
    UniqueFd copy(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
    if (!copy) return fail_errno();
    return copy;
}

Result<Mapping> Slab::map(std::size_t first_bytes) const {
    if (!granted_by) return Mapping::shared(fd.get(), first_bytes, PROT_READ | PROT_WRITE);
    const Result<UniqueFd> attached = descriptor();
    if (!attached) return fail(attached.error());
    return Mapping::shared(attached->get(), size_bytes, PROT_READ | PROT_WRITE);
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
    return slab;
}

}  // namespace xylem::agent
