// Reading the records that a program wrote about its sockets. Each record is copied before it is looked at;
// the page is the program's and changes as it likes.
#pragma once

#include <algorithm>
#include <cstring>

#include "control/agent/session.hpp"
#include "control/protocol/session_page_layout.h"

namespace xylem::agent {

template <class Visit>
void for_each_record(const Session& session, Visit visit) {
    if (!session.page) return;
    const SessionPage& page = *session.page.as<SessionPage>();
    if (page.magic != kSessionPageMagic || page.version != kSessionPageVersion) return;
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

}  // namespace xylem::agent
