// Sockets that come and go by exec(), posix_spawn() and SCM_RIGHTS. A socket is recognised by the cookie of
// its kernel socket, which the agent is shown and asked about. Going out needs a word to the agent before: a
// program that is spawned, or receives a message, says hello later, and the sender may be gone by then. The
// agent then counts one holder more, so that the sender's close() ends nothing by itself, and asks the
// kernel whether the kernel socket still exists (control/agent/orphans.hpp).
#include "guest-lib/inheritance.hpp"

#include <dirent.h>
#include <netinet/in.h>
#include <stdlib.h>

#include <cstring>

#include "guest-lib/enabled.hpp"
#include "guest-lib/real_libc.hpp"
#include "guest-lib/session.hpp"
#include "guest-lib/socket.hpp"
#include "guest-lib/vsock_fd.hpp"

namespace xylem {
namespace {

int option_of(int fd, int name) {
    int value = -1;
    socklen_t length = sizeof value;
    return real().getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0 ? value : -1;
}

// Whether fd is one more descriptor of a socket that this process has under another number.
bool enter_copy(int fd) {
    std::uint64_t cookie = 0;
    socklen_t length = sizeof cookie;
    if (real().getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) != 0) return false;
    for (int other = next_entry(0, ~0U); other >= 0;
         other = next_entry(static_cast<unsigned>(other) + 1, ~0U)) {
        const Ref<Socket> socket = find<Socket>(other);
        if (socket && socket->cookie == cookie) return enter(fd, socket.get());
    }
    return false;
}

template <class Visit>
void for_each_descriptor(const msghdr& message, Visit visit) {
    auto& header = const_cast<msghdr&>(message);
    for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len < CMSG_LEN(0)) continue;
        const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd;
            std::memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            visit(fd);
        }
    }
}

void lend(std::uint64_t cookie) {
    IdMessage question{};
    question.id = cookie;
    Received answer;
    (void)Session::self().ask(SessionMessage::lend, question, answer);
}

}  // namespace

void take_in(int fd) {
    const int family = option_of(fd, SO_DOMAIN);
    const bool is_stand_in = is_stand_in_fd(fd);
    const bool is_known = family == AF_INET || family == AF_INET6 || family == AF_VSOCK;
    if (!is_stand_in && (!is_known || option_of(fd, SO_TYPE) != SOCK_STREAM)) return;
    if (enter_copy(fd)) return;
    Socket* socket = Socket::adopt_fd(fd, is_stand_in ? AF_VSOCK : family);
    if (socket == nullptr) return;
    socket->stand_in.store_relaxed(is_stand_in ? 1 : 0);
    socket->ask_about_inheritance(fd);
}

void take_in_all() {
    DIR* directory = ::opendir("/proc/self/fd");
    if (directory == nullptr) return;
    while (const dirent* entry = ::readdir(directory)) {
        const int fd = entry->d_name[0] >= '0' && entry->d_name[0] <= '9' ? ::atoi(entry->d_name) : -1;
        if (fd >= 0 && fd != ::dirfd(directory)) take_in(fd);
    }
    ::closedir(directory);
}

void restore_slabs() {
    for (int fd = next_entry(0, ~0U); fd >= 0; fd = next_entry(static_cast<unsigned>(fd) + 1, ~0U)) {
        const Ref<Socket> socket = ring_socket(fd);
        if (!socket || !socket->stream.has_lost_slab()) continue;
        IdMessage question{};
        question.id = socket->cookie;
        Received answer;
        (void)Session::self().ask(SessionMessage::adopt, question, answer, &fd, 1);
        const auto* attached = answer_as<AttachedMessage>(answer, SessionMessage::attached);
        const bool is_ours = attached != nullptr && answer.fd_count == 2;
        if (is_ours && socket->stream.restore_slab(answer.fds[0].get())) {
            socket->stream.say_held(attached->holder);
        } else {
            // No agent, or one that has no memory of it. The parent's connection goes on.
            Session::self().release_end(*socket, ReleaseMode::orderly);
            socket->stream.lose_slab();
        }
    }
}

void take_in_from(msghdr& message) {
    if (message.msg_controllen == 0 || !is_enabled()) return;
    const int saved_errno = errno;
    for_each_descriptor(message, take_in);
    errno = saved_errno;
}

void show_ends_used_again() {
    if (!is_enabled() || !is_own_process() || !Session::self().is_open()) return;
    const int saved_errno = errno;
    for (int fd = next_entry(0, ~0U); fd >= 0; fd = next_entry(static_cast<unsigned>(fd) + 1, ~0U)) {
        const Ref<Socket> socket = ring_socket(fd);
        if (socket && socket->is_unshown.exchange(0) != 0) rejoin_end(fd, *socket);
    }
    errno = saved_errno;
}

void lend_all() {
    if (!is_enabled() || !is_own_process() || !Session::self().is_open()) return;
    show_ends_used_again();
    const int saved_errno = errno;
    lend(0);
    errno = saved_errno;
}

void lend_what_travels(const msghdr& message) {
    if (message.msg_controllen == 0 || message.msg_control == nullptr || !is_enabled()) return;
    const int saved_errno = errno;
    for_each_descriptor(message, [](int fd) {
        const Ref<Socket> socket = find<Socket>(fd);
        if (!socket) return;
        if (socket->is_ring() && socket->is_unshown.exchange(0) != 0) rejoin_end(fd, *socket);
        const SocketState state = socket->state();
        const bool has_port = socket->vsock.bound.family != 0;
        if (has_port || state == SocketState::ring || state == SocketState::listening) lend(socket->cookie);
    });
    errno = saved_errno;
}

}  // namespace xylem
