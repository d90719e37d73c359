// State and figures of one end, for people.
#pragma once

#include "control/agent/counters.hpp"
#include "control/agent/ends.hpp"
#include "control/agent/report.hpp"

namespace xylem::agent {

// Adds what the end has sent and received.
void count_bytes(Counters& counters, const End& end);

// Fills in state, tx_bytes, rx_bytes, ring, counters, replies and spin_ns of a socket.
void put_figures(Json& socket, const End& end);

}  // namespace xylem::agent
