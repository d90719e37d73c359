// Reading what a program wrote about its sockets. Each record and tally is copied before it is looked at; the
// page is the program's and changes as it likes.
#pragma once

#include <algorithm>
#include <cstring>

#include "control/agent/counters.hpp"
#include "control/agent/session.hpp"
#include "control/protocol/session_page_layout.h"

namespace xylem::agent {

// Null where there is none of ours.
inline const SessionPage* page_of(const Session& session) {
    if (!session.page) return nullptr;
    const SessionPage* page = session.page.as<SessionPage>();
    return page->magic == kSessionPageMagic && page->version == kSessionPageVersion ? page : nullptr;
}

template <class Visit>
void for_each_record(const Session& session, Visit visit) {
    if (page_of(session) == nullptr) return;
    const SessionPage& page = *page_of(session);
    const std::uint32_t count = std::min(page.high_water.load_acquire(), kSessionRecords);
    for (std::uint32_t i = 0; i < count; ++i) {
        // Pairs with the release store that ends the library's writing of a record.
        const std::uint32_t state = page.records[i].state.load_acquire();
        if (state == 0 || state > static_cast<std::uint32_t>(RecordState::listener)) continue;
        SessionRecord copy;
        std::memcpy(static_cast<void*>(&copy), static_cast<const void*>(&page.records[i]), sizeof copy);
        copy.state.store_relaxed(state);
        visit(copy);
    }
}

// visit(reason, peer, connections); a peer of family 0 stands for several.
template <class Visit>
void for_each_tally(const Session& session, Visit visit) {
    if (page_of(session) == nullptr) return;
    const SessionPage& page = *page_of(session);
    for (const Tally& tally : page.tallies) {
        // Pairs with the release store in the library's count_tcp().
        if (tally.state.load_acquire() != kTallyReady) continue;
        const auto reason = static_cast<Reason>(*const_cast<const volatile std::uint32_t*>(&tally.reason));
        SocketName peer;
        std::memcpy(&peer, &tally.peer, sizeof peer);
        visit(reason, peer, tally.connections.load_relaxed());
    }
    for (std::uint32_t i = 0; i < kReasonCount; ++i) {
        const std::uint64_t connections = page.other_peers[i].load_relaxed();
        if (connections != 0) visit(static_cast<Reason>(i), SocketName{}, connections);
    }
}
static_assert(kReasonCount <= kReasonTallies);

// visit(peer_domain, waits) in which that one rang without end.
template <class Visit>
void for_each_storm(const Session& session, Visit visit) {
    if (page_of(session) == nullptr) return;
    for (const StormCount& row : page_of(session)->storms) {
        const std::uint32_t peer_domain = row.peer_domain.load_relaxed();
        const std::uint32_t waits = row.waits.load_relaxed();
        if (peer_domain != 0 && waits != 0) visit(peer_domain, waits);
    }
}

}  // namespace xylem::agent
