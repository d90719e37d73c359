// AcceptQueue. Programs may do to the socket what they like: fill it, drain it, connect it elsewhere. Then
// connections of their own listener fail, or go where they lead them.
#include "control/agent/accept_queue.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include "control/protocol/closing.hpp"
#include "control/protocol/seqpacket.hpp"

namespace xylem::agent {
namespace {

// For a backlog of 4,096, where the system allows so much; a message in a queue takes it some 770 bytes.
constexpr int kQueueBytes = 4 << 20;
// Who puts in while it is looked through must not keep the agent busy.
constexpr unsigned kMostLookedAt = 1U << 13;

}  // namespace

Result<AcceptQueue> AcceptQueue::make() {
    UniqueFd made(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!made) return fail_errno();
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    auto* address = reinterpret_cast<sockaddr*>(&name);
    // Without a name given, the kernel chooses one (unix(7), autobind), to which nobody else can send.
    if (::bind(made.get(), address, sizeof name.sun_family) != 0) return fail_errno();
    socklen_t length = sizeof name;
    if (::getsockname(made.get(), address, &length) != 0) return fail_errno();
    if (::connect(made.get(), address, length) != 0) return fail_errno();
    ::setsockopt(made.get(), SOL_SOCKET, SO_SNDBUF, &kQueueBytes, sizeof kQueueBytes);
    return AcceptQueue(std::move(made));
}

bool AcceptQueue::put(const AttachedMessage& message, int slab, int end_page) {
    const int fds[] = {slab, end_page};
    return send_message(fd(), &message, sizeof message, fds, 2).has_value();
}

// Without room for descriptors, none come.
std::uint64_t AcceptQueue::next_end() const {
    AttachedMessage next{};
    const ssize_t got = ::recv(fd(), &next, sizeof next, MSG_PEEK | MSG_DONTWAIT);
    return got == static_cast<ssize_t>(sizeof next) ? next.end_id : 0;
}

std::set<EndId> AcceptQueue::look_through() {
    std::set<EndId> seen;
    for (unsigned i = 0; i < kMostLookedAt && seen.count(next_end()) == 0; ++i) {
        Received message;
        if (!receive_message(fd(), message)) break;
        const auto* attached = message.as<AttachedMessage>();
        const bool makes_sense = attached != nullptr && message.fd_count == 2;
        if (makes_sense && put(*attached, message.fds[0].get(), message.fds[1].get())) {
            seen.insert(attached->end_id);
        }
        close_rest_of_program(message);
    }
    return seen;
}

}  // namespace xylem::agent
