// Ends, listeners and AF_VSOCK ports that no session holds, while their kernel sockets still exist somewhere:
// in a program that exec() or posix_spawn() brought up and that has not said hello, in one without the guest
// library, or in a message on its way. They wait to be adopted, or for their kernel socket to go.
#pragma once

#include <set>

#include "control/agent/event_loop.hpp"
#include "control/agent/session.hpp"

namespace xylem::agent {

struct Agent;
struct End;
struct Listener;
struct BoundPort;

class Orphans {
  public:
    explicit Orphans(Agent& agent) : agent_(agent) {}

    void add(const End& end);
    void add(const Listener& listener);
    void add(const BoundPort& bound);

  private:
    void begin();
    void look();

    Agent& agent_;
    std::set<EndId> ends_;
    std::set<ListenerId> listeners_;
    std::set<std::uint32_t> vsock_ports_;
    // How far a look came that had no time for all.
    EndId last_end_ = 0;
    ListenerId last_listener_ = 0;
    std::uint32_t last_port_ = 0;
    std::uint64_t pause_ns_ = 0;
    Watch timer_;
};

}  // namespace xylem::agent
