// One program's session with its agent, and what it holds.
//
//   greeting ──hello──> open ──hang-up──> limbo ──adopt, death or time──> gone
//       └───────────────hang-up────────────────────────────────────────────┘
//                        └──hang-up of a dead or invisible process─────────┘
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <unordered_set>

#include "control/agent/event_loop.hpp"
#include "control/agent/process.hpp"
#include "control/agent/quota.hpp"
#include "control/protocol/session_protocol.h"
#include "vsock-transport/base/mapping.hpp"
#include "vsock-transport/base/unique_fd.hpp"

namespace xylem::agent {

using SessionId = std::uint64_t;
using EndId = std::uint64_t;
using ListenerId = std::uint64_t;

enum class SessionState : std::uint8_t { greeting, open, limbo, gone };

// The transitions drawn above; every other one is a mistake of the agent.
constexpr bool may_follow(SessionState from, SessionState to) {
    constexpr bool kTable[4][4] = {
        // greeting open  limbo  gone      from
        {false, true, false, true},    // greeting
        {false, false, true, true},    // open
        {false, false, false, true},   // limbo
        {false, false, false, false},  // gone
    };
    return kTable[static_cast<int>(from)][static_cast<int>(to)];
}

struct Session {
    explicit Session(SessionId session_id, UniqueFd connected)
        : id(session_id), socket(std::move(connected)) {}

    // False, and nothing done, where the table forbids it.
    bool become(SessionState next) {
        if (!may_follow(state, next)) return false;
        state = next;
        return true;
    }
    bool holds_anything() const { return !ends.empty() || !listeners.empty() || !vsock_ports.empty(); }

    const SessionId id;
    SessionState state = SessionState::greeting;
    UniqueFd socket;
    Watch watch;
    Watch greeting_timer;
    Quota::Lease quota;

    pid_t dialler_pid = 0;  // who connected
    uid_t uid = ~0U;
    Process process;        // who spoke last
    bool is_clone = false;  // made by dialler_pid for a child that has not spoken yet, as long as they agree
    std::string program;
    SessionRole role = SessionRole::program;
    std::uint64_t run_id = 0;  // that it is counted for, or that it opened (runs.hpp); 0 = none
    Mapping page;              // SessionPage; the program writes it at any time
    UniqueFd page_fd;          // for who captures
    unsigned malformed = 0;
    bool answer_is_due = false;  // a far agent was asked: no further message is read until it answered

    std::unordered_set<EndId> ends;
    std::set<ListenerId> listeners;
    std::set<std::uint32_t> vsock_ports;
    std::set<std::uint32_t> bells;

    // limbo
    Watch death_watch;
    Watch adoption_timer;
};

using SessionPtr = std::shared_ptr<Session>;

}  // namespace xylem::agent
