// Socket: listening and accepting, on the ring and in the kernel at once, and from kept ends (arrivals.hpp).
// The kernel socket listens as the program asked, so peers without Xylem still get in. Ring connections wait
// in a second accept queue, which the agent fills; processes that share the listener share it, and go on
// taking connections from it while there is no agent. accept() waits on both; so that it never gets stuck in
// the kernel's accept while a ring connection waits, the kernel socket of such a listener is always
// non-blocking, and what the program asked for is kept beside that (listener_flags.hpp).
#include <fcntl.h>
#include <netinet/in.h>

#include "guest-lib/arrivals.hpp"
#include "guest-lib/epoll_set.hpp"
#include "guest-lib/listener_flags.hpp"
#include "guest-lib/names.hpp"
#include "guest-lib/poll_wait.hpp"
#include "guest-lib/private_fds.hpp"
#include "guest-lib/real_libc.hpp"
#include "guest-lib/session.hpp"
#include "guest-lib/session_page.hpp"
#include "guest-lib/socket.hpp"
#include "guest-lib/socket_options.hpp"
#include "guest-lib/spin_limit.hpp"
#include "guest-lib/vsock_fd.hpp"

namespace xylem {
namespace {

bool accepts_in_kernel(int fd) {
    int value = 0;
    socklen_t length = sizeof value;
    return real().getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) == 0 && value != 0;
}

bool is_v6_only(int fd) {
    int value = 0;
    socklen_t length = sizeof value;
    return real().getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, &length) == 0 && value != 0;
}

// ring, or why the listener is not offered.
Reason offer(int fd, Socket& socket, const SocketName& local, int backlog) {
    if (Session::self().map() == nullptr) return Reason::no_agent;
    ListenMessage question{};
    question.cookie = socket.cookie;
    question.local = local;
    question.backlog = static_cast<std::uint32_t>(backlog < 0 ? SOMAXCONN : backlog);
    question.flags = is_v6_only(fd) ? kListenV6Only : 0U;
    Received answer;
    const int fds[] = {fd, socket.queue.get()};
    const unsigned fd_count = socket.queue ? 2 : 1;
    if (!Session::self().ask(SessionMessage::listen, question, answer, fds, fd_count))
        return Reason::no_agent;
    const auto* listening = answer_as<ListeningMessage>(answer, SessionMessage::listening);
    if (listening == nullptr || answer.fd_count != 1) return failure_of(answer);
    socket.listener_id = listening->listener_id;
    if (!socket.queue) socket.queue = make_private(std::move(answer.fds[0]));
    return Reason::ring;
}

// Whether the caller's memory could not be opened because this side is short of something. Otherwise it is
// the caller's fault: it has given up, and what it granted is gone.
bool is_shortage(const Error& error) {
    const int number = error.sys_errno;
    return number == ENOMEM || number == EMFILE || number == ENFILE || number == EAGAIN;
}

}  // namespace

int Socket::listen(int fd, int wanted_backlog) {
    const bool is_vsock = family == AF_VSOCK;
    const int result = is_vsock ? listen_vsock(fd, wanted_backlog) : real().listen(fd, wanted_backlog);
    if (result != 0 || (state() != SocketState::fresh && state() != SocketState::listening)) return result;
    const int saved_errno = errno;
    backlog = wanted_backlog;
    const SocketName local = is_vsock ? vsock.bound : bound_name(fd);
    const Reason offered = offer(fd, *this, local, backlog);
    const bool is_ours = offered == Reason::ring || Session::self().is_lost();
    if (is_ours && state() == SocketState::fresh) {
        note_nonblocking(fd);
        make_listener_flags(fd);
        kernel = duplicate_private(fd);
        if (offered == Reason::ring && !is_vsock)
            arrivals_word.store_release(Arrivals::make(listener_id, queue.get()));
        set_state(SocketState::listening);
        EpollSet::on_became_listener(*this);
    }
    // Offered to nobody, and unknown to the kernel: there is no listener.
    if (state() == SocketState::fresh && !listens_in_kernel()) return fail_errno_with(EADDRNOTAVAIL);
    not_offered = state() == SocketState::listening ? Reason::ring : offered;
    record = write_record(Session::self().page(), record,
                          {RecordState::listener, fd, cookie, 0, not_offered, local, {}});
    errno = saved_errno;
    return result;
}

void Socket::offer_again(int fd) {
    const bool had_queue = static_cast<bool>(queue);
    offer(fd, *this, family == AF_VSOCK ? vsock.bound : bound_name(fd), backlog);
    if (arrivals() != nullptr) arrivals()->begin_anew(listener_id);
    if (!had_queue) EpollSet::on_became_listener(*this);
}

void Socket::ask_about_inheritance(int fd) {
    if (Session::self().map() == nullptr) return;
    IdMessage question{};
    question.id = cookie;
    Received answer;
    if (!Session::self().ask(SessionMessage::adopt, question, answer, &fd, 1)) return;
    if (family == AF_VSOCK) recall_vsock_port(fd);
    note_nonblocking(fd);
    if (answer_as<AttachedMessage>(answer, SessionMessage::attached) != nullptr) {
        (void)attach(fd, answer);
        return;
    }
    const auto* listening = answer_as<ListeningMessage>(answer, SessionMessage::listening);
    if (listening == nullptr || answer.fd_count != 1) return;
    listener_id = listening->listener_id;
    queue = make_private(std::move(answer.fds[0]));
    kernel = duplicate_private(fd);
    nonblocking.store_relaxed(is_listener_nonblocking(fd) ? 1 : 0);
    vsock.kernel_listens = family == AF_VSOCK && accepts_in_kernel(fd);
    set_state(SocketState::listening);
}

// An object for a connection that this listener accepts.
Socket* Socket::enter_accepted(int fd, bool made_stand_in) {
    Socket* accepted = Socket::adopt_fd(fd, family);
    if (accepted == nullptr) return nullptr;
    accepted->listener_id = listener_id;
    accepted->listener_fd = first_fd;
    accepted->stand_in.store_relaxed(made_stand_in ? 1 : 0);
    accepted->vsock.options = vsock.options;
    accepted->note_nonblocking(fd);
    inherit_options(*accepted, fd, *this, kernel.get());
    return accepted;
}

void Socket::say_accepted(int fd, const Socket& accepted) const {
    AcceptedMessage message{};
    message.listener_id = listener_id;
    message.end_id = accepted.end_id;
    Session::self().tell(SessionMessage::accepted, message, fd);
}

// 0, or why not: EAGAIN where there is no connection after all.
int Socket::adopt_accepted(int fd, bool made_stand_in, const Received& attached) {
    Session::self().settle();  // another process may have offered the listener to a new agent
    Socket* accepted = enter_accepted(fd, made_stand_in);
    if (accepted == nullptr) return ENOMEM;
    const auto opened = accepted->open_end(attached);
    const bool is_open = opened.has_value();
    const bool is_known =
        Session::self().is_open() && accepted->made_by_boot_id == Session::self().agent_boot_id();
    if (is_known) say_accepted(fd, *accepted);
    if (!is_open || (!is_known && accepted->stream.give_up_call())) {
        if (is_known) Session::self().tell_release(accepted->end_id, ReleaseMode::abort);
        accepted->stream = Stream();
        leave(fd);
        return !is_open && is_shortage(opened.error()) ? ENOMEM : EAGAIN;
    }
    accepted->become_ring(fd);
    if (!is_known) rejoin_end(fd, *accepted);
    if (arrivals() != nullptr && arrivals()->takes_more()) accepted->stream.say_would_keep();
    return 0;
}

// A connection of the queue, or -1 and errno: EAGAIN if there is none. The descriptor is made before others
// come with the message, so that it gets the number that the kernel's accept would give it.
int Socket::accept_ring(sockaddr* address, socklen_t* length, int flags) {
    bool made_stand_in = false;
    const int made = family == AF_VSOCK ? make_vsock_fd(SOCK_STREAM | flags, 0, made_stand_in)
                                        : real().socket(family, SOCK_STREAM | flags, 0);
    if (made < 0) return made;
    Received queued;
    int failure = EAGAIN;
    if (!is_sandboxed() && receive_message(queue.get(), queued) &&
        check_header(queued, kSessionMagic) == HeaderFault::none) {
        failure = adopt_accepted(made, made_stand_in, queued);
        if (failure == 0) {
            Session::self().page()->ring_connections.fetch_add(1);
            store_name(as_seen_by(family, find<Socket>(made)->stream.page().peer), address, length);
            return made;
        }
    }
    system_call(SYS_close, made);
    return fail_errno_with(failure);
}

// A connection of a kept end, in the same way. The caller's port is another than the last time.
int Socket::accept_kept(sockaddr* address, socklen_t* length, int flags) {
    if (arrivals() == nullptr || !arrivals()->has_caller()) return fail_errno_with(EAGAIN);
    const int made = real().socket(family, SOCK_STREAM | flags, 0);
    if (made < 0) return made;
    KeptEnd kept;
    const std::uint32_t port = arrivals()->take(kept);
    Socket* accepted = port != 0 ? enter_accepted(made, false) : nullptr;
    if (accepted == nullptr) {
        if (port != 0) kept.release();
        system_call(SYS_close, made);
        return fail_errno_with(port != 0 ? ENOMEM : EAGAIN);
    }
    kept.stream.page().peer.port = port;
    store_name(as_seen_by(family, kept.stream.page().peer), address, length);
    accepted->take_over(made, kept);
    if (kept.is_unknown) rejoin_end(made, *accepted);
    Session::self().page()->ring_connections.fetch_add(1);
    return made;
}

int Socket::arrivals_fd() const { return arrivals() != nullptr ? arrivals()->fd() : queue.get(); }

bool Socket::has_arrivals() {
    if (arrivals() != nullptr && arrivals()->has_caller()) return true;
    pollfd item{queue.get(), POLLIN, 0};
    return poll_raw(&item, 1, 0) > 0;
}

Ref<Socket> Socket::listener_that_keeps_none(const Socket& accepted) {
    if (accepted.listener_fd < 0) return {};
    Ref<Socket> listener = find<Socket>(accepted.listener_fd);
    if (!listener || listener->state() != SocketState::listening || listener->family == AF_VSOCK) return {};
    if (listener->listener_id != accepted.listener_id) return {};
    const Arrivals* arrivals = listener->arrivals();
    return arrivals != nullptr && arrivals->takes_more() ? Ref<Socket>() : std::move(listener);
}

void Socket::keep_connections() {
    if (arrivals() != nullptr) return arrivals()->take_more();
    Arrivals* made = Arrivals::make(listener_id, queue.get());
    if (made == nullptr) return;
    if (!arrivals_word.compare_exchange(nullptr, made)) return made->close();
    EpollSet::on_became_listener(*this);
}

// Those of a listener that was never offered have its reason: their peers had no choice.
void Socket::stays_accepted_on_tcp(int made) {
    if (is_sandboxed()) return;
    const int saved_errno = errno;
    const bool is_offered = state() == SocketState::listening;
    const Reason why = is_offered ? Reason::accepted_over_tcp : not_offered;
    SocketName peer = peer_name(made);
    Socket* accepted = Socket::adopt_fd(made, family);
    if (accepted != nullptr) accepted->stay_on_tcp(made, why, peer);
    peer.port = 0;
    count_tcp(Session::self().page(), why, unmapped(peer));
    errno = saved_errno;
}

// One that calls again is here sooner than a wake-up, if connections follow each other closely. Others are
// not looked for meanwhile; a listener that gets none of these soon spins no more (wait_policy.hpp).
bool Socket::spin_for_caller() {
    const Arrivals* kept = arrivals();
    if (kept == nullptr || !kept->has_areas()) return false;
    keep_to_longest_spin(read_policy);
    return read_policy.spin([kept] { return kept->has_news(); });
}

int Socket::accept(int fd, sockaddr* address, socklen_t* length, int flags) {
    if (kernel) fd = kernel.get();
    for (bool is_first = true;; is_first = false) {
        const int again = accept_kept(address, length, flags);
        if (again >= 0 || errno != EAGAIN) return again;
        pollfd items[2] = {{fd, POLLIN, 0}, {queue.get(), POLLIN, 0}};
        if (poll_raw(items, 2, 0) > 0 && items[1].revents != 0) {
            const int made = accept_ring(address, length, flags);
            if (made >= 0 || errno != EAGAIN) return made;
        }
        const long answer =
            listens_in_kernel() ? system_call(SYS_accept4, fd, word(address), word(length), flags) : -EAGAIN;
        const auto made = static_cast<int>(to_libc(answer));
        if (made >= 0) {
            stays_accepted_on_tcp(made);
            return made;
        }
        if (errno != EAGAIN && errno != EWOULDBLOCK) return made;
        // In a sandbox nobody asks for more than the program itself.
        const bool never_waits =
            is_sandboxed() ? nonblocking.load_relaxed() != 0 : is_listener_nonblocking(fd);
        if (never_waits) return fail_errno_with(EAGAIN);
        if (!wait_for_accept(*this, fd, is_first)) return -1;
    }
}

}  // namespace xylem
