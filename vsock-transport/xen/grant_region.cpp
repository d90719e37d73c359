// Regions of granted pages, by the stable ioctls of gntalloc and gntdev: libxengnttab cannot adopt a
// descriptor that came from elsewhere, and links what programs that preload the guest library must not get.
// An ioctl takes its references in a block behind its fixed part, which is built in a mapping of its own: no
// allocation here.
#include "vsock-transport/xen/grant_region.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <xen/gntalloc.h>

#include "vsock-transport/base/limits.hpp"
#include "vsock-transport/base/mapping.hpp"
#include "vsock-transport/ring/slab_layout.h"

using grant_ref_t = std::uint32_t;  // gntdev.h leaves both to whoever includes it
using domid_t = std::uint16_t;
#include <xen/gntdev.h>

namespace xylem {
namespace {

// The largest slab: two of the largest rings and a page.
constexpr std::size_t kMostPages = 2 * (kMaxRingSizeBytes / kPageBytes) + 1;

tl::unexpected<Error> system_failure(long result) {
    return fail(ErrorKind::system, static_cast<int>(-result));
}

bool is_in_range(DomainId domain, std::size_t count) {
    return domain < kFirstReservedDomain && count > 0 && count <= kMostPages;
}

Result<UniqueFd> open_device(const char* path) {
    const long opened = system_call(SYS_openat, AT_FDCWD, word(path), O_RDWR | O_CLOEXEC);
    if (opened < 0) return system_failure(opened);
    return UniqueFd(static_cast<int>(opened));
}

Result<Mapping> scratch(std::size_t size_bytes) {
    void* memory = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return fail_errno();
    return Mapping(memory, size_bytes);
}

}  // namespace

Result<UniqueFd> grant_pages(DomainId to, GrantRef* refs, std::size_t count) {
    if (!is_in_range(to, count)) return fail(ErrorKind::out_of_range);
    Result<UniqueFd> device = open_device("/dev/xen/gntalloc");
    Result<Mapping> block = scratch(sizeof(ioctl_gntalloc_alloc_gref) + count * sizeof(GrantRef));
    if (!device || !block) return fail(device ? block.error() : device.error());
    auto& request = *block->as<ioctl_gntalloc_alloc_gref>();
    request.domid = to;
    request.flags = GNTALLOC_FLAG_WRITABLE;
    request.count = static_cast<std::uint32_t>(count);
    const long result =
        system_call(SYS_ioctl, device->get(), static_cast<long>(IOCTL_GNTALLOC_ALLOC_GREF), word(&request));
    if (result < 0) return system_failure(result);
    const GrantRef* granted = request.gref_ids;
    for (std::size_t i = 0; i < count; ++i) refs[i] = granted[i];
    return std::move(*device);
}

Result<UniqueFd> attach_pages(DomainId from, const GrantRef* refs, std::size_t count) {
    if (!is_in_range(from, count)) return fail(ErrorKind::out_of_range);
    Result<UniqueFd> device = open_device("/dev/xen/gntdev");
    Result<Mapping> block =
        scratch(sizeof(ioctl_gntdev_map_grant_ref) + count * sizeof(ioctl_gntdev_grant_ref));
    if (!device || !block) return fail(device ? block.error() : device.error());
    auto& request = *block->as<ioctl_gntdev_map_grant_ref>();
    request.count = static_cast<std::uint32_t>(count);
    ioctl_gntdev_grant_ref* wanted = request.refs;
    for (std::size_t i = 0; i < count; ++i) wanted[i] = {from, refs[i]};
    const long result =
        system_call(SYS_ioctl, device->get(), static_cast<long>(IOCTL_GNTDEV_MAP_GRANT_REF), word(&request));
    if (result < 0) return system_failure(result);
    return std::move(*device);
}

Result<std::size_t> clear_when_unmapped(int region, std::size_t offset_bytes, std::uint32_t port) {
    static_assert(IOCTL_GNTALLOC_SET_UNMAP_NOTIFY == IOCTL_GNTDEV_SET_UNMAP_NOTIFY);
    static_assert(sizeof(ioctl_gntalloc_unmap_notify) == sizeof(ioctl_gntdev_unmap_notify));
    ioctl_gntdev_unmap_notify request{};
    request.index = offset_bytes;
    request.action = UNMAP_NOTIFY_CLEAR_BYTE | (port != 0 ? UNMAP_NOTIFY_SEND_EVENT : 0U);
    request.event_channel_port = port;
    const long result =
        system_call(SYS_ioctl, region, static_cast<long>(IOCTL_GNTDEV_SET_UNMAP_NOTIFY), word(&request));
    if (result < 0) return system_failure(result);
    return offset_bytes;
}

}  // namespace xylem
