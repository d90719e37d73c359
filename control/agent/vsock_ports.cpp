// AF_VSOCK ports. A port has one socket, whatever its cid: a domain has one cid of its own, and
// VMADDR_CID_ANY collides with every other (net/vmw_vsock/af_vsock.c, __vsock_find_bound_socket()).
// Automatic ports go up from a random start, as the kernel's do, so that a port is not soon used again.
#include "control/agent/vsock_ports.hpp"

#include <errno.h>
#include <linux/vm_sockets.h>

#include "control/agent/agent.hpp"
#include "control/agent/random_id.hpp"

namespace xylem::agent {
namespace {

constexpr std::uint32_t kFirstFree = 1024;  // LAST_RESERVED_PORT + 1

}  // namespace

VsockPorts::VsockPorts(std::uint64_t limit)
    : quota_(limit),
      next_(kFirstFree + static_cast<std::uint32_t>(random_id() % (VMADDR_PORT_ANY - kFirstFree))) {}

// There are more ports than the quota lets anybody bind, so one is found.
std::uint32_t VsockPorts::next_free() {
    for (;;) {
        if (next_ == VMADDR_PORT_ANY) next_ = kFirstFree;
        const std::uint32_t port = next_++;
        if (by_port_.count(port) == 0) return port;
    }
}

Result<BoundPort*> VsockPorts::bind(std::uint64_t cookie, SocketName local) {
    if (by_cookie_.count(cookie) != 0) return fail(ErrorKind::refused, EINVAL);
    if (by_port_.count(local.port) != 0) return fail(ErrorKind::refused, EADDRINUSE);
    auto lease = quota_.take();
    if (!lease) return fail(ErrorKind::exhausted, EADDRNOTAVAIL);
    if (local.port == VMADDR_PORT_ANY) local.port = next_free();
    auto bound = std::make_unique<BoundPort>(BoundPort{cookie, local, {}, {}, false, std::move(*lease)});
    by_cookie_[cookie] = local.port;
    return by_port_.emplace(local.port, std::move(bound)).first->second.get();
}

const BoundPort* VsockPorts::find(std::uint32_t port) const {
    const auto found = by_port_.find(port);
    return found == by_port_.end() ? nullptr : found->second.get();
}

BoundPort* VsockPorts::find(std::uint32_t port) {
    const auto found = by_port_.find(port);
    return found == by_port_.end() ? nullptr : found->second.get();
}

BoundPort* VsockPorts::find_cookie(std::uint64_t cookie) {
    const auto found = by_cookie_.find(cookie);
    return found == by_cookie_.end() ? nullptr : find(found->second);
}

void VsockPorts::erase(std::uint32_t port) {
    const auto found = by_port_.find(port);
    if (found == by_port_.end()) return;
    by_cookie_.erase(found->second->cookie);
    by_port_.erase(found);
}

void hold(BoundPort& bound, Session& session) {
    bound.holders.insert(session.id);
    session.vsock_ports.insert(bound.local.port);
}

void let_go(Agent& agent, BoundPort& bound, Session& session) {
    session.vsock_ports.erase(bound.local.port);
    bound.holders.erase(session.id);
    if (!bound.holders.empty()) return;
    if (bound.is_lent && bound.socket.exists()) return agent.orphans.add(bound);
    agent.vsock_ports.erase(bound.local.port);
}

void lend(BoundPort& bound) { bound.is_lent = true; }

}  // namespace xylem::agent
