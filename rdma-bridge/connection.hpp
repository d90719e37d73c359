// One connection between a program here and one at another node.
//
//   opening ──opened: ring──> open ────both ends gone───> (forgotten)
//      │                      │  ^ resumed                   ^
//      │            link lost v  │                           │
//      │                      cut ────patience is over───────┤
//      └──opened: why not, or nobody answers, or link lost───┘
#pragma once

#include <memory>
#include <optional>

#include "rdma-bridge/mirror.hpp"
#include "rdma-bridge/node.hpp"
#include "rdma-bridge/own_bell.hpp"

namespace xylem::bridge {

struct Connection {
    ConnectionKey key;
    unsigned home_side = 0;
    Node* node = nullptr;      // null: the far end is lost
    std::uint32_t number = 0;  // on that node's links
    bool is_cut = false;       // the node's link broke, and it was not resumed on another one yet
    std::uint64_t cut_ns = 0;  // then: since when
    UniqueFd slab_fd;
    std::optional<Mirror> mirror;
    OwnBell* bell = nullptr;
    unsigned bit = 0;
    bool is_open = false;
    Turns::Place place;
    bool shows_writer = false;
    bool has_offered_window = false;  // on this link
    bool has_tail_timer = false;
    bool waits_for_bell = false;     // its agent was asked where one is
    Poller::TimerId show_timer = 0;  // not 0: nothing is shown before
    bool owes_tail = false;          // for a while now the far end does not know all that was consumed here
    bool is_home_gone = false;       // its agent said so
    bool is_home_vanished = false;
    bool is_home_seen = false;  // with its side lock
    std::uint64_t look_ns = 0;  // when that is looked at again, and how long after the last time
    std::uint64_t look_pause_ns = 0;
    bool is_gone_sent = false;
    std::uint64_t gone_ns = 0;  // then: since when
    bool is_far_gone = false;
    Published last_sent;
    // Null: nothing can be said to the far end, now or ever.
    NodeLink* link() const { return node != nullptr && !is_cut ? node->link : nullptr; }
    // Of one that is opened from here, until it is answered.
    AgentLink* asker = nullptr;
    std::uint32_t request_id = 0;
    LinkConnectMessage question{};
    Poller::TimerId answer_timer = 0;
    // Of one that another node opens: that waits for the agent here.
    Node* asked_by = nullptr;
};
}  // namespace xylem::bridge
