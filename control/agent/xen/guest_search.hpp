// In which order guests are looked for whose ids nobody tells. Xen gives ids out in order and begins anew
// behind the last one, so the nearest ones come first, and all of them in the end.
#pragma once

#include <optional>

#include "vsock-transport/xen/grant_region.hpp"

namespace xylem::agent {

class GuestSearch {
  public:
    // Ids 1 to kFirstReservedDomain - 1; 0 is dom0, which is no guest.
    static constexpr int kIds = kFirstReservedDomain - 1;

    explicit GuestSearch(DomainId own) : own_(own) {}

    // The own id, one before, one behind, two before, ... Each once; then nothing.
    std::optional<DomainId> next() {
        if (step_ == kIds) return std::nullopt;
        const int distance = (step_ + 1) / 2;
        const int offset = step_ % 2 != 0 ? -distance : distance;
        ++step_;
        return static_cast<DomainId>(1 + (own_ - 1 + offset + kIds) % kIds);
    }

  private:
    static_assert(kIds % 2 != 0, "as many before the own one as behind it");
    const int own_;
    int step_ = 0;
};

}  // namespace xylem::agent
