// The AF_VSOCK ports of this domain: which are bound, and to which socket. Each domain has all 2^32 of them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>

#include "control/agent/kernel_socket.hpp"
#include "control/agent/quota.hpp"
#include "control/agent/session.hpp"
#include "vsock-transport/base/result.hpp"
#include "vsock-transport/base/socket_name.h"

namespace xylem::agent {

struct Agent;

struct BoundPort {
    std::uint64_t cookie;  // of the descriptor that stands for the socket
    SocketName local;      // VMADDR_CID_ANY or the domain's cid
    std::set<SessionId> holders;
    KernelSocket socket;   // as of ends
    bool is_lent = false;  // as of ends
    Quota::Lease quota;
};

class VsockPorts {
  public:
    explicit VsockPorts(std::uint64_t limit);

    // Port VMADDR_PORT_ANY: the next free one above the reserved ones. Errors: sys_errno is EADDRINUSE or
    // EADDRNOTAVAIL.
    [[nodiscard]] Result<BoundPort*> bind(std::uint64_t cookie, SocketName local);
    const BoundPort* find(std::uint32_t port) const;
    BoundPort* find(std::uint32_t port);
    BoundPort* find_cookie(std::uint64_t cookie);
    void erase(std::uint32_t port);
    const Quota& quota() const { return quota_; }

  private:
    std::uint32_t next_free();

    Quota quota_;
    std::map<std::uint32_t, std::unique_ptr<BoundPort>> by_port_;
    std::map<std::uint64_t, std::uint32_t> by_cookie_;
    std::uint32_t next_;
};

// A port is free again when no session holds it any more, and it is no orphan (orphans.hpp).
void hold(BoundPort& bound, Session& session);
void let_go(Agent& agent, BoundPort& bound, Session& session);
void lend(BoundPort& bound);

}  // namespace xylem::agent
