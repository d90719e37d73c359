// What the programs of one run did with their sockets: sums, never a list, so that a run of a million
// connections needs no more memory than one of a hundred. See runs.hpp.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "control/agent/ends.hpp"
#include "control/agent/session.hpp"
#include "control/protocol/reason.hpp"

namespace xylem::agent {

// Text of a program's or a peer's name -> how often, for each reason. What is new beyond kMaxTallies is
// counted under the empty name.
using Tallies = std::map<std::pair<Reason, std::string>, std::uint64_t>;
inline constexpr std::size_t kMaxTallies = 1024;

struct RunSums {
    // An end that the run's programs made or accepted, with its bytes as they are now.
    void add(const End& end);
    // What a program's page says of its connections on TCP.
    void add_page(const Session& session);
    void add_bypass(Reason reason, const std::string& program);

    std::uint64_t sessions = 0;
    std::uint64_t made = 0;      // ring connections, by connect()
    std::uint64_t accepted = 0;  // by accept()
    std::uint64_t tx_bytes = 0;
    std::uint64_t rx_bytes = 0;
    Tallies ring_peers;  // what was made, by the peer's address
    Tallies tcp;         // by peer
    Tallies bypasses;    // programs that the library cannot carry, by program
};

}  // namespace xylem::agent
