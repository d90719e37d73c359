// One link to another domain's agent: a socket, what waits to be sent, and who waits for an answer.
//
//   out: greeting ──hello answered──> ready ──> broken        (dialled by us; our questions)
//   in:  greeting ──hello checked──>  ready ──> broken        (dialled by them; their questions)
//            └───────────────────────────────────^
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "control/agent/event_loop.hpp"
#include "control/protocol/codec.hpp"
#include "control/protocol/link_protocol.h"
#include "control/protocol/reason.hpp"
#include "vsock-transport/base/pace.hpp"

namespace xylem::agent {

enum class LinkDirection : std::uint8_t { out, in };
enum class LinkState : std::uint8_t { greeting, ready, broken };

constexpr bool may_follow(LinkState from, LinkState to) {
    return to == LinkState::broken ? from != LinkState::broken
                                   : from == LinkState::greeting && to == LinkState::ready;
}

// failure: none with an answer, else why there is no answer, and then `answer` is null.
using LinkAnswer = std::function<void(Reason failure, Received* answer)>;

struct Link {
    struct Unsent {
        std::vector<std::byte> bytes;
        std::vector<UniqueFd> fds;
    };
    struct Pending {
        LinkAnswer answered;
        std::uint64_t until_ns;
    };

    explicit Link(LinkDirection made_by) : direction(made_by) {}

    bool become(LinkState next) {
        if (!may_follow(state, next)) return false;
        state = next;
        return true;
    }

    const LinkDirection direction;
    LinkState state = LinkState::greeting;
    std::uint32_t domain = 0;  // the far one; of an incoming link: once ready
    UniqueFd socket;
    Watch watch;
    Watch greeting_timer;
    Watch rested;  // the peer took its part of our time
    std::uint64_t far_boot_id = 0;
    ucred far{};                 // as the kernel says
    std::shared_ptr<Pace> pace;  // of a link between guests: what the peer may take of our time
    std::deque<Unsent> unsent;
    std::size_t unsent_fds = 0;                // descriptors in it
    std::uint64_t answer_ns = 0;               // how long an answer may take (links.hpp)
    std::map<std::uint32_t, Pending> pending;  // by request id, which is the order in which they were asked
    Watch pending_timer;
    std::uint64_t messages_sent = 0;
    std::uint64_t messages_received = 0;
    std::uint64_t since_ns = 0;
};

using LinkPtr = std::shared_ptr<Link>;

}  // namespace xylem::agent
