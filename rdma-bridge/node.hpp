// The bridge of another node as this one knows it, in one of two roles: as the one that this bridge dialled,
// or that dialled this one. Links come and go; the connections that they carry are kept for a while.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "rdma-bridge/agent_link.hpp"
#include "rdma-bridge/node_link.hpp"
#include "rdma-bridge/turns.hpp"

namespace xylem::bridge {

// As the agents here name a connection.
struct ConnectionKey {
    Pair pair;
    std::uint32_t connecting_domain;
    std::uint64_t connection_id;

    auto operator<=>(const ConnectionKey&) const = default;
};

// Numbers from here on are of connections to which the far bridge has given none yet.
inline constexpr std::uint32_t kUnnumbered = 0x8000'0000;

struct Node {
    std::string text;                                              // as hosts maps have it
    NodeLink* link = nullptr;                                      // once ready
    std::uint64_t ready_ns = 0;                                    // since when
    std::unordered_map<std::uint32_t, ConnectionPtr> connections;  // by their numbers
    Turns turns;                                                   // of those that have something to say
    Poller::TimerId patience = 0;                                  // with those that are cut; 0: none is
    std::uint32_t node_number = 0;                                 // remote_domain.hpp; 0: it needed none yet
    // Of one that dialled us: how many connections it asked for that the agents here have not answered; what
    // it wants to go on with, and is not known here so far (returning.cpp).
    std::size_t asked_for = 0;
    std::map<ConnectionKey, ResumeFrame> early;
    // Of one that we dial.
    std::unique_ptr<NodeLink> dialled;
    std::size_t tried = 0;               // of the transports that it may be reached over (wires.cpp)
    std::vector<ConnectionPtr> waiting;  // for the link to be ready, to be opened
    Poller::TimerId redial = 0;          // not 0: nor is it dialled before
    std::uint64_t delay_ns = 0;          // not 0: it was dialled in vain since it was last reached
    unsigned short_lives = 0;  // of links one after the other that were lost as soon as they were ready
    bool is_missed = false;    // somebody asked for it in vain since it was last dialled

    // The next number that none of them has. Behind the last one they begin anew.
    std::uint32_t free_number(std::uint32_t last) const {
        do {
            last = last + 1 < kUnnumbered ? last + 1 : 1;
        } while (connections.count(last) != 0);
        return last;
    }
    // Whether somebody waits for a turn, and could have it.
    bool has_turn() const { return link != nullptr && !turns.empty() && !link->is_full(); }
    ConnectionPtr find(std::uint32_t number) const {
        const auto found = connections.find(number);
        return found == connections.end() ? nullptr : found->second;
    }
};

}  // namespace xylem::bridge
