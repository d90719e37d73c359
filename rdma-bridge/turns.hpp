// Whose turn it is to speak on a node's link. It goes in rounds: in each, everybody may send kShareBytes. Who
// has more to say and had less than that in this round goes first, in the order in which they came; who had
// his share waits for the next round, in order as well. So a message waits for no more than others that had
// less than their share, and those that never run dry get the same, however little the link takes at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "rdma-bridge/node_protocol.h"

namespace xylem::bridge {

struct Connection;
using ConnectionPtr = std::shared_ptr<Connection>;

class Turns {
  public:
    static constexpr std::size_t kShareBytes = kMostDataBytes;
    // What it knows of a connection.
    struct Place {
        bool is_waiting = false;
        std::uint64_t round = 0;
        std::size_t spent_bytes = 0;  // in that round
    };

    // Each waits once, however often it is added.
    void add(const ConnectionPtr& connection);
    // Not empty. Whoever has more to say then is to be added again.
    ConnectionPtr next();
    // How much it may send now.
    static std::size_t left_bytes(const Connection& connection);
    // Every turn costs something, or who always has a word and no bytes would always be first.
    static void spend(Connection& connection, std::size_t bytes);
    void clear();

    bool empty() const { return first_.empty() && rest_.empty(); }
    std::size_t size() const { return first_.size() + rest_.size(); }

  private:
    std::deque<ConnectionPtr> first_;
    std::deque<ConnectionPtr> rest_;
    std::uint64_t round_ = 0;
    std::size_t left_of_round_ = 0;  // of rest_; those behind came later
};

}  // namespace xylem::bridge
