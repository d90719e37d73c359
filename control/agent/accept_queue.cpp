// AcceptQueue. Programs may do to the socket what they like: fill it, drain it, connect it elsewhere. Then
// connections of their own listener fail, or go where they lead them.
#include "control/agent/accept_queue.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include "control/protocol/seqpacket.hpp"

namespace xylem::agent {
namespace {

// For a backlog of 4,096, where the system allows so much; a message in a queue takes it some 770 bytes.
constexpr int kQueueBytes = 4 << 20;
// Who puts in while all is taken out must not keep the agent busy.
constexpr std::size_t kMostTaken = 1U << 14;

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

std::vector<std::unique_ptr<Received>> AcceptQueue::take_all() {
    std::vector<std::unique_ptr<Received>> taken;
    while (taken.size() < kMostTaken) {
        auto next = std::make_unique<Received>();
        if (!receive_message(fd(), *next)) return taken;
        if (next->as<AttachedMessage>() != nullptr && next->fd_count == 2) taken.push_back(std::move(next));
    }
    return taken;
}

void AcceptQueue::put_back(const std::vector<std::unique_ptr<Received>>& taken) {
    for (const auto& message : taken) {
        put(*message->as<AttachedMessage>(), message->fds[0].get(), message->fds[1].get());
    }
}

}  // namespace xylem::agent
