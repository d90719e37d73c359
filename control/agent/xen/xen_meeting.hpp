// What the agents of two guests write into XenStore to meet, each into one node of its own that only the
// other may read: data/xylem/<the other's domid>. XenStore is not needed again until one of them begins anew.
//
//   VERSION LIFE FOR_LIFE OFFER_ID PORT REF ...
//
// by the guest with the lower domid; OFFER_ID 0, and nothing behind it: no offer yet. By the other:
//
//   VERSION LIFE FOR_LIFE OFFER_ID
//
// which offer it has bound; 0: none. Ids are in hexadecimal, the rest in decimal. A life begins with an
// agent, and once more when a control ring broke. An offer is for one life of the other: whoever begins anew
// gets a new one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vsock-transport/xen/grant_region.hpp"

namespace xylem::agent {

struct XenMeeting {
    static constexpr unsigned kVersion = 1;

    std::uint64_t life = 0;
    std::uint64_t for_life = 0;
    std::uint64_t offer_id = 0;
    std::uint32_t port = 0;
    std::vector<GrantRef> refs;

    std::string text() const;
    // Nothing where the text makes no sense, or is of another version: the peer wrote it.
    static std::optional<XenMeeting> parse(const std::string& text);

    static std::string own_path(DomainId peer);
    static std::string peers_path(DomainId own, DomainId peer);
};

}  // namespace xylem::agent
