// After a restart of the agent: this process names its listeners and ends to the new one, and registers its
// doorbells anew. Established connections never noticed; this is so that the agent again knows what to do
// when this process dies, and so that listeners are found.
#include <utility>

#include "control/protocol/remote_domain.hpp"
#include "guest-lib/bells.hpp"
#include "guest-lib/epoll_set.hpp"
#include "guest-lib/kept_end.hpp"
#include "guest-lib/names.hpp"
#include "guest-lib/session.hpp"
#include "guest-lib/socket.hpp"

namespace xylem {

namespace {

template <class Visit>
void for_each_socket(Visit visit) {
    for (int fd = next_entry(0, ~0U); fd >= 0; fd = next_entry(static_cast<unsigned>(fd) + 1, ~0U)) {
        if (Ref<Socket> socket = find<Socket>(fd)) visit(fd, *socket);
    }
}

}  // namespace

void rejoin_end(int fd, Socket& socket) {
    const EndPage& page = socket.stream.page();
    RejoinMessage question{};
    question.end_id = socket.end_id;
    question.cookie = socket.cookie;
    question.connection_id = page.connection_id;
    question.local = page.local;
    question.peer = page.peer;
    question.own_domain = page.own_domain;
    question.peer_domain = page.peer_domain;
    question.side = page.side;
    question.is_granted = page.is_granted;
    Received answer;
    (void)Session::self().ask(SessionMessage::rejoin, question, answer, &fd, 1);
    const bool is_peer_gone = answer_as<PlainMessage>(answer, SessionMessage::peer_gone) != nullptr;
    // The agent that died may have been about to answer the caller.
    const bool has_given_up = page.side == 1 && socket.stream.give_up_call();
    const bool is_cut = is_remote_domain(socket.stream.page().peer_domain);
    if (is_peer_gone || has_given_up) socket.stream.peer_vanished(is_cut);
}

void rejoin_ends() {
    const std::uint64_t agent = Session::self().agent_boot_id();
    for_each_socket([agent](int fd, Socket& socket) {
        if (socket.is_ring() && socket.made_by_boot_id != agent) rejoin_end(fd, socket);
    });
}

void rejoin_all() {
    renew_kept_ends();
    register_own_bells_again();
    for_each_socket([](int fd, Socket& socket) {
        socket.bind_vsock_again(fd);
        if (socket.is_ring()) rejoin_end(fd, socket);
        if (socket.state() == SocketState::listening) socket.offer_again(fd);
    });
    EpollSet::register_again_all();
}

void release_all() {
    release_kept_ends();
    for_each_socket([](int, Socket& socket) {
        if (socket.is_ring()) Session::self().release_end(socket, ReleaseMode::orderly);
    });
}

void count_child_as_holder(bool is_seen) {
    static std::uint32_t forks = 0;  // under the session's locks
    ++forks;
    const std::uint64_t agent = Session::self().agent_boot_id();
    for_each_socket([&](int, Socket& socket) {
        if (!socket.is_ring() || std::exchange(socket.counted_at_fork, forks) == forks) return;
        if (is_seen && socket.made_by_boot_id == agent && !socket.has_unseen_holders) return;
        socket.has_unseen_holders = true;
        socket.stream.page().holders.fetch_add(1);
    });
}

}  // namespace xylem
