// Writing the page of socket records and tallies (control/protocol/session_page_layout.h).
#pragma once

#include "control/protocol/reason.hpp"
#include "control/protocol/session_page_layout.h"
#include "vsock-transport/base/mapping.hpp"
#include "vsock-transport/base/unique_fd.hpp"

namespace xylem {

bool make_session_page(UniqueFd& fd, Mapping& mapping);
void copy_records(const SessionPage& from, SessionPage& to);

struct RecordText {
    RecordState state;
    int fd;
    std::uint64_t cookie;
    std::uint64_t end_id;
    Reason reason;
    SocketName local;
    SocketName peer;
};
// Writes record `index`, or a free one if it is negative. Returns the index; -1 when the page is full or
// there is none: the socket then does not show in `xylem ls`, and nothing else changes.
int write_record(SessionPage* page, int index, const RecordText& text);
void clear_record(SessionPage* page, int index);

// Counts a TCP connection. Nothing where there is no page.
void count_tcp(SessionPage* page, Reason why, const SocketName& peer);
// Counts a wait in which that peer rang without end. Nothing where there is no page.
void count_storm(SessionPage* page, std::uint32_t peer_domain);

}  // namespace xylem
