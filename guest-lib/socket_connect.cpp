// Socket: connecting, and choosing the transport.
//   1. The map table: an address that it does not cover, or gives to TCP, costs a look-up and stays there.
//   2. The kernel socket gets its local address and port by bind(), so that ports are the kernel's own and
//      the far end can be told who calls.
//   3. A connection that ended earlier between the two names and was kept is used again (kept_end.hpp).
//   4. Else the agent is asked; its answer is a connection, or the reason for TCP on the same descriptor.
// A non-blocking connect over a ring is complete at once; it says EINPROGRESS all the same, as TCP does, and
// the socket is then writable without an error.
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>

#include <algorithm>

#include "guest-lib/bells.hpp"
#include "guest-lib/cancellation.hpp"
#include "guest-lib/capture.hpp"
#include "guest-lib/epoll_set.hpp"
#include "guest-lib/kept_end.hpp"
#include "guest-lib/names.hpp"
#include "guest-lib/probes.hpp"
#include "guest-lib/real_libc.hpp"
#include "guest-lib/session.hpp"
#include "guest-lib/session_page.hpp"
#include "guest-lib/socket.hpp"
#include "guest-lib/spin_limit.hpp"

namespace xylem {
namespace {

bool is_nonblocking(int fd) { return (system_call(SYS_fcntl, fd, F_GETFL) & O_NONBLOCK) != 0; }

bool bind_to(int fd, int family, SocketName name) {
    sockaddr_storage storage;
    const socklen_t length = to_sockaddr(as_seen_by(family, name), storage);
    return real().bind(fd, reinterpret_cast<sockaddr*>(&storage), length) == 0;
}

// The name under which the socket calls; binds it if the program has not. family 0: it could not be bound.
SocketName calling_name(int fd, int family, const SocketName& peer, const MapTableHeader& map) {
    SocketName own = map.own_address[unmapped(peer).family == AF_INET6 ? 1 : 0];
    SocketName bound = bound_name(fd);
    if (bound.port == 0) {
        if (own.family == 0) own.family = unmapped(peer).family;
        own.port = 0;
        SocketName anything{};
        anything.family = static_cast<std::uint32_t>(family);
        if (!bind_to(fd, family, own) && !bind_to(fd, family, anything)) return {};
        bound = bound_name(fd);
    }
    const std::uint32_t port = bound.port;
    if (!is_wildcard(bound)) return unmapped(bound);
    own.port = port;
    return own;
}

// What this process was told for all its sockets, or else otherwise_ns: what the agent made of the map.
std::uint32_t spin_of_process(std::uint32_t otherwise_ns) {
    const char* spin = ::secure_getenv("XYLEM_SPIN_NS");
    return spin != nullptr ? static_cast<std::uint32_t>(::strtoul(spin, nullptr, 10)) : otherwise_ns;
}

ConnectMessage make_connect(const Socket& socket, const SocketName& local, const SocketName& peer) {
    ConnectMessage message{};
    message.cookie = socket.cookie;
    message.local = local;
    message.peer = unmapped(peer);
    message.spin_ns = spin_of_process(kUnsetSpinNs);
    const char* ring_size = ::secure_getenv("XYLEM_RING_SIZE");
    if (ring_size != nullptr) message.ring_size_bytes = ::strtoull(ring_size, nullptr, 10);
    return message;
}

// Where the socket is bound, or the loopback address, with any port.
sockaddr_storage own_address(int fd, int family, socklen_t& length) {
    sockaddr_storage address{};
    length = sizeof address;
    system_call(SYS_getsockname, fd, word(&address), word(&length));
    address.ss_family = static_cast<sa_family_t>(family);
    auto& v4 = reinterpret_cast<sockaddr_in&>(address);
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
    (family == AF_INET6 ? v6.sin6_port : v4.sin_port) = 0;
    if (family == AF_INET && v4.sin_addr.s_addr == 0) v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr)) v6.sin6_addr = IN6ADDR_LOOPBACK_INIT;
    length = family == AF_INET6 ? sizeof v6 : sizeof v4;
    return address;
}

// What tcp_disconnect() leaves behind (ECONNRESET for SO_ERROR, POLLERR, a port given back), by the kernel's
// own hand: the socket that stands for the connection begins a connection to a listener of ours, and
// disconnects. One that was only begun serves as well, so nothing is waited for. Where the kernel refuses,
// the socket has no error.
void disconnect_in_kernel(int fd, int family, const sockaddr* unspecified, socklen_t length) {
    if (is_sandboxed() || (family != AF_INET && family != AF_INET6)) return;
    socklen_t address_length = 0;
    sockaddr_storage address = own_address(fd, family, address_length);
    const UniqueFd listener(static_cast<int>(system_call(SYS_socket, family, SOCK_STREAM | SOCK_CLOEXEC, 0)));
    if (!listener || system_call(SYS_bind, listener.get(), word(&address), address_length) != 0 ||
        system_call(SYS_listen, listener.get(), 1) != 0 ||
        system_call(SYS_getsockname, listener.get(), word(&address), word(&address_length)) != 0)
        return;
    const long flags = system_call(SYS_fcntl, fd, F_GETFL);
    if (flags < 0) return;
    if ((flags & O_NONBLOCK) == 0) system_call(SYS_fcntl, fd, F_SETFL, flags | O_NONBLOCK);
    system_call(SYS_connect, fd, word(&address), address_length);
    system_call(SYS_connect, fd, word(unspecified), length);
    if ((flags & O_NONBLOCK) == 0) system_call(SYS_fcntl, fd, F_SETFL, flags);
}

}  // namespace

int Socket::connect(int fd, const sockaddr* address, socklen_t length) {
    if (address != nullptr && length >= sizeof(sa_family_t) && address->sa_family == AF_UNSPEC) {
        return disconnect(fd, address, length);
    }
    if (is_ring()) {
        if (connect_report.exchange(0) != 0) return 0;
        return fail_errno_with(EISCONN);
    }
    SocketName peer;
    if (state() != SocketState::fresh || !to_socket_name(address, length, peer)) {
        return connect_in_kernel(fd, address, length);
    }
    Reason why = Reason::none;
    peer = reached_by(peer);
    int result = -1;
    if (is_left_alone())
        result = connect_ring(fd, peer, why);
    else
        why = Reason::no_memory;
    if (why == Reason::ring) return result;
    stay_on_tcp(fd, why, peer);
    const int over_tcp = connect_in_kernel(fd, address, length);
    if (over_tcp == 0 || errno == EINPROGRESS || errno == EINTR) {
        count_tcp(Session::self().page(), why, unmapped(peer));
    } else {
        set_state(SocketState::fresh);  // it may try again, and may find a ring by then
    }
    return over_tcp;
}

// connect(AF_UNSPEC), tcp_disconnect(): the peer of a ring gets a reset, whatever SO_LINGER says and whoever
// else holds the connection. The socket keeps its address and may connect again, and then finds a ring or
// not. It stays where it is in epoll sets.
int Socket::disconnect(int fd, const sockaddr* unspecified, socklen_t length) {
    const SocketState before = state();
    if (before == SocketState::ring) {
        const bool is_over = (poll_events() & POLLHUP) != 0;
        if (!is_over) disconnect_in_kernel(fd, family, unspecified, length);
        EpollSet::on_left_ring(*this);
        Session::self().release_end(*this, ReleaseMode::disconnect);
        stream.wake_all_own_waiters();
    } else {
        const int result = real().connect(fd, unspecified, length);
        if (result != 0 || before != SocketState::kernel) return result;
    }
    clear_record(Session::self().page(), record);
    record = -1;
    connect_report.store_relaxed(0);
    set_state(SocketState::fresh);
    return 0;
}

// Calls that began before the socket was disconnected may still look at the memory of that connection. They
// were woken; one that a signal handler interrupted, which connects now, cannot go.
bool Socket::is_left_alone() const {
    constexpr int kTries = 100;
    constexpr timespec kPause{0, 1'000'000};
    if (!stream) return true;
    for (int i = 0; i < kTries; ++i) {
        if (calls_under_way() <= 1) return true;
        system_call(SYS_nanosleep, word(&kPause), 0);
    }
    return false;
}

int Socket::connect_in_kernel(int fd, const sockaddr* address, socklen_t length) {
    struct Call {
        int fd;
        const sockaddr* address;
        socklen_t length;
    } call{fd, address, length};
    return static_cast<int>(sleep_holding(
        *this, false,
        [](void* context) -> long {
            const Call& how = *static_cast<Call*>(context);
            return real().connect(how.fd, how.address, how.length);
        },
        &call));
}

int Socket::connect_ring(int fd, const SocketName& peer, Reason& why) {
    const MapTableHeader* map = Session::self().map();
    if (map == nullptr) {
        why = Reason::no_agent;
        return -1;
    }
    const MapHit hit = look_up(*map, peer);
    if (!takes_ring(hit)) {
        why = !hit.mapped                              ? Reason::not_mapped
              : hit.target == MapTarget::node          ? Reason::other_node
              : hit.target == MapTarget::unknown_guest ? Reason::unknown_guest
                                                       : Reason::mapped_to_tcp;
        return -1;
    }
    const SocketName local = calling_name(fd, family, peer, *map);
    if (local.family == 0) {
        why = Reason::no_memory;
        return -1;
    }
    KeptEnd kept;
    if (call_again(*map, local, unmapped(peer), read_policy, kept)) {
        note_nonblocking(fd);
        take_over(fd, kept);
        return connected_ring(why);
    }
    return ask_for_ring(fd, local, peer, why);
}

int Socket::ask_for_ring(int fd, const SocketName& local, const SocketName& peer, Reason& why) {
    Session& session = Session::self();
    ConnectMessage question = make_connect(*this, local, peer);
    Received answer;
    const auto asked = session.ask(SessionMessage::connect, question, answer, &fd, 1);
    if (!asked) {
        why = asked.error().kind == ErrorKind::no_agent ? Reason::no_agent : Reason::agent_timeout;
        return -1;
    }
    why = failure_of(answer);
    if (answer_as<AttachedMessage>(answer, SessionMessage::attached) == nullptr) return -1;
    note_nonblocking(fd);
    if (!open_end(answer)) {
        session.tell_release(end_id, ReleaseMode::abort);
        why = Reason::no_memory;
        return -1;
    }
    if (!stream.make_call()) {  // the agent died meanwhile
        stream = Stream();
        why = Reason::no_agent;
        return -1;
    }
    become_ring(fd);
    return connected_ring(why);
}

void Socket::note_nonblocking(int fd) { nonblocking.store_relaxed(is_nonblocking(fd) ? 1 : 0); }

int Socket::connected_ring(Reason& why) {
    why = Reason::ring;
    Session::self().page()->ring_connections.fetch_add(1);
    const bool nonblock = nonblocking.load_relaxed() != 0;
    connect_report.store_relaxed(nonblock ? 1 : 0);
    return nonblock ? fail_errno_with(EINPROGRESS) : 0;
}

void Socket::take_over(int fd, KeptEnd& end) {
    stream = std::move(end.stream);
    end_id = end.end_id;
    made_by_boot_id = end.is_unknown ? 0 : Session::self().agent_boot_id();
    is_unshown.store_relaxed(1);
    become_ring(fd);
}

// With a stream and what the program has set so far.
void Socket::become_ring(int fd) {
    EndPage& own = stream.page();
    own.nonblocking.store_relaxed(nonblocking.load_relaxed());
    own.receive_timeout_ns.store_relaxed(receive_timeout_ns.load_relaxed());
    own.send_timeout_ns.store_relaxed(send_timeout_ns.load_relaxed());
    own.low_water_bytes.store_relaxed(low_water_bytes.load_relaxed());
    own.abort_on_close.store_relaxed(abort_on_close.load_relaxed());
    own.spin_ns = std::min(spin_of_process(own.spin_ns), kMaxSpinNs);
    read_policy.set_max_ns(own.spin_ns);
    write_policy.set_max_ns(own.spin_ns);
    raise_longest_spin(own.spin_ns);
    own.holders.compare_exchange(0, 1);  // taken from a queue without its agent's knowledge
    has_unseen_holders = false;
    is_released.store_relaxed(0);
    set_state(SocketState::ring);
    record = write_record(Session::self().page(), record,
                          {RecordState::ring, fd, cookie, end_id, Reason::ring, own.local, own.peer});
    EpollSet::on_became_ring(*this);
    XYLEM_PROBE3(ring, fd, end_id, own.peer_domain);
    capture_event(*this, own.side == 0 ? CaptureKind::connected : CaptureKind::accepted);
}

void Socket::stay_on_tcp(int fd, Reason why, const SocketName& peer) {
    set_state(SocketState::kernel);
    XYLEM_PROBE2(tcp, fd, static_cast<int>(why));
    record = write_record(Session::self().page(), record,
                          {RecordState::tcp, fd, cookie, 0, why, bound_name(fd), peer});
}

}  // namespace xylem
