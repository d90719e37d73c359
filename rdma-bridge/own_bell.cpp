// OwnBell: what programs get is the kicker and the area's memfd, as from any other waiter.
#include "rdma-bridge/own_bell.hpp"

#include "vsock-transport/base/clock.hpp"
#include "vsock-transport/local/slab_memfd.hpp"

namespace xylem::bridge {
namespace {

constexpr std::uint64_t kUnusedNs = 10 * kNsPerSecond;

}  // namespace

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

void OwnBell::give_back(unsigned bit) {
    free_bits_.push_back(bit);
    unused_since_ns_ = now_ns();
}

bool OwnBell::is_idle() const { return is_unused() && now_ns() - unused_since_ns_ > kUnusedNs; }

}  // namespace xylem::bridge
