// OwnBell: what programs get is the kicker and the area's memfd, as from any other waiter.
#include "rdma-bridge/own_bell.hpp"

#include "vsock-transport/local/slab_memfd.hpp"

namespace xylem::bridge {

Result<std::unique_ptr<OwnBell>> OwnBell::make(std::uint32_t id, const Pair& pair) {
    Result<LocalBell> bell = make_local_bell();
    if (!bell) return fail(bell.error());
    Result<UniqueFd> area_fd = make_sealed_memfd("xylem-bell", kDoorbellAreaBytes);
    if (!area_fd) return fail(area_fd.error());
    Result<Mapping> area = Mapping::shared(area_fd->get(), kDoorbellAreaBytes, PROT_READ | PROT_WRITE);
    if (!area) return fail(area.error());
    return std::unique_ptr<OwnBell>(
        new OwnBell(id, pair, std::move(*bell), std::move(*area_fd), std::move(*area)));
}

unsigned OwnBell::take_bit() {
    if (free_bits_.empty()) return next_bit_ < kReadyBits ? next_bit_++ : kReadyBits;
    const unsigned bit = free_bits_.back();
    free_bits_.pop_back();
    return bit;
}

}  // namespace xylem::bridge
