// A socket of the program as the guest library sees it. One object a kernel socket and process, whatever
// number of descriptors name it.
//
//   fresh ──listen()──> listening        offered to other domains, and listening in the kernel too
//     │ └──connect()──> kernel           TCP, and the reason why
//     └────connect()──> ring             a Stream; accept() makes such sockets as well
//
// kernel and ring are final but for connect(AF_UNSPEC), which leads back to fresh.
//
// AF_VSOCK streams are sockets like these; where they differ: socket_vsock.cpp, vsock_port.cpp, vsock_fd.cpp.
#pragma once

#include <sys/socket.h>

#include "control/protocol/codec.hpp"
#include "control/protocol/reason.hpp"
#include "guest-lib/fd_table.hpp"
#include "guest-lib/vsock_part.hpp"
#include "vsock-transport/stream/stream.hpp"
#include "vsock-transport/wakeup/wait_policy.hpp"

namespace xylem {

class Arrivals;
struct KeptEnd;

enum class SocketState : std::uint32_t { fresh = 0, listening = 1, kernel = 2, ring = 3 };

struct Socket : FdObject {
    static constexpr ObjectKind kKind = ObjectKind::socket;

    Socket() : FdObject(ObjectKind::socket) {
        set_state(SocketState::fresh);
        stand_in.store_relaxed(0);
    }

    // A new object for a kernel socket that the program just got; entered under fd. Null without memory.
    static Socket* adopt_fd(int fd, int family);
    static void recycle(Socket* socket);

    SocketState state() const { return static_cast<SocketState>(state_word.load_acquire()); }
    bool is_ring() const { return state() == SocketState::ring; }
    void set_state(SocketState next) { state_word.store_release(static_cast<std::uint32_t>(next)); }

    // The descriptor of an AF_VSOCK stream is a socket of another kind (vsock_fd.cpp).
    bool is_stand_in() const { return stand_in.load_relaxed() != 0; }
    // Whether the kernel has no part in its data.
    bool carries_data() const { return is_ring() || is_stand_in(); }
    // Whether the kernel may have connections for this listener.
    bool listens_in_kernel() const { return family != AF_VSOCK || vsock.kernel_listens; }

    // libc semantics: -1 and errno on failure. socket_connect.cpp, socket_listen.cpp, socket_data.cpp.
    int connect(int fd, const sockaddr* address, socklen_t length);
    int listen(int fd, int backlog);
    int accept(int fd, sockaddr* address, socklen_t* length, int flags);
    ssize_t send(const iovec* vectors, std::size_t count, int flags);
    ssize_t receive(const iovec* vectors, std::size_t count, int flags);
    int shutdown(int how);
    // AF_VSOCK only; vsock_port.cpp, socket_vsock.cpp.
    int bind_vsock(int fd, const sockaddr* address, socklen_t length);
    int connect_vsock(int fd, const sockaddr* address, socklen_t length);
    int get_vsock_name(int fd, sockaddr* address, socklen_t* length);
    void bind_vsock_again(int fd);   // tells a restarted agent
    void recall_vsock_port(int fd);  // after exec: the agent may know its cookie

    // Makes the stream of an `attached` answer, of an end that others may hold: what its page says of options
    // is in force. Errors: system, bad_layout.
    [[nodiscard]] Result<std::size_t> attach(int fd, const Received& attached);
    // Remembers that the socket is TCP's, and why.
    void stay_on_tcp(int fd, Reason why, const SocketName& peer);
    // Of a listener: the same for a connection that the kernel's queue gave it.
    void stays_accepted_on_tcp(int made);
    // A listener's: readable while there may be a connection that is not the kernel's, and whether there is.
    int arrivals_fd() const;
    bool has_arrivals();
    bool spin_for_caller();  // whether one that calls again (kept_end.hpp) seems to have come
    Arrivals* arrivals() const { return arrivals_word.load_acquire(); }
    // Where other processes have the listener too, a connection that this one keeps can be called again only
    // here. That is right if this process waits for the listener and for the listener's connections at once,
    // so that no caller waits for the end of another. listener: null, if it keeps or has not got accepted.
    static Ref<Socket> listener_that_keeps_none(const Socket& accepted);
    void keep_connections();
    void on_last_close();
    void ask_about_inheritance(int fd);  // after exec: the agent may know its cookie
    void offer_again(int fd);            // a listener, to a restarted agent
    // Bits of poll(2) that a ring socket has now.
    short poll_events();

    union {  // met by stale looks as well, as the next
        AtomicU32 state_word;
    };
    union {
        AtomicU32 stand_in;
    };
    int family = AF_UNSPEC;
    int first_fd = -1;  // the descriptor it began with; a hint, dup() and close() may have moved it
    int record = -1;    // in the session page
    std::uint64_t cookie = 0;

    // ring
    Stream stream;
    WaitPolicy read_policy;
    WaitPolicy write_policy;
    std::uint64_t end_id = 0;
    std::uint64_t made_by_boot_id = 0;  // of the agent that knows the end's memory
    AtomicU32 is_unshown{0};            // used again: the agent knows the connection by another kernel socket
    AtomicU32 has_told_bytes{0};        // at the end of the process (last_words.hpp)
    AtomicU32 is_released{0};           // this process holds it no longer
    bool has_unseen_holders = false;    // children of whose forks the agent does not know
    std::uint32_t counted_at_fork = 0;  // the last one
    AtomicU32 connect_report{0};        // a non-blocking connect said EINPROGRESS; the next connect() says 0
    VsockPart vsock;

    // listening, and of accepted connections where they came from
    std::uint64_t listener_id = 0;
    int listener_fd = -1;               // of an accepted connection: its listener's first_fd
    UniqueFd queue;                     // the accept queue (session_protocol.h)
    Atomic<Arrivals*> arrivals_word{};  // null where others have the listener too, until keep_connections()
    UniqueFd kernel;  // the kernel's listener once more: accept() goes on when its descriptor was closed
    int backlog = 0;
    Reason not_offered = Reason::none;  // why it listens in the kernel only

    // Before there is an end page, and of listeners, whose accepted sockets inherit them.
    AtomicU32 nonblocking{0};
    AtomicU64 receive_timeout_ns{0};
    AtomicU64 send_timeout_ns{0};
    AtomicU32 low_water_bytes{0};
    AtomicU32 abort_on_close{0};  // SO_LINGER with zero seconds
    AtomicU32 options_set{0};     // bits of socket_options.cpp's kInherited

    Socket* next_free = nullptr;

  private:
    int connect_in_kernel(int fd, const sockaddr* address, socklen_t length);
    int connect_ring(int fd, const SocketName& peer, Reason& why);
    [[nodiscard]] Result<std::size_t> open_end(const Received& attached);
    void take_over(int fd, KeptEnd& end);
    void become_ring(int fd);
    void note_nonblocking(int fd);
    int connected_ring(Reason& why);
    // Asks the agent for a connection from one name to the other, and takes what it answers.
    int ask_for_ring(int fd, const SocketName& local, const SocketName& peer, Reason& why);
    int connect_vsock_in_kernel(int fd, const SocketName& peer, Reason why);
    int listen_vsock(int fd, int wanted_backlog);
    int ask_for_vsock_port(int fd, const SocketName& wanted, std::uint32_t flags);
    int accept_ring(sockaddr* address, socklen_t* length, int flags);
    int accept_kept(sockaddr* address, socklen_t* length, int flags);
    Socket* enter_accepted(int fd, bool made_stand_in);
    bool is_left_alone() const;
    int disconnect(int fd, const sockaddr* unspecified, socklen_t length);
    int adopt_accepted(int fd, bool made_stand_in, const Received& attached);
    void say_accepted(int fd, const Socket& accepted) const;
};

void reset_socket_locks();  // in a fork child

// A descriptor that is a ring socket, protected from being freed while in use. Whoever holds the one
// reference to a socket on this thread may call its functions that sleep (cancellation.hpp).
inline Ref<Socket> ring_socket(int fd) {
    const FdObject* object = peek(fd);
    if (object == nullptr || object->kind() != ObjectKind::socket) return {};
    if (!static_cast<const Socket*>(object)->is_ring()) return {};
    Ref<Socket> socket = find<Socket>(fd);
    if (!socket || !socket->is_ring()) return {};
    return socket;
}

// The same for the calls that move data: those of stand-ins fail before they are rings.
inline Ref<Socket> carried_socket(int fd) {
    const FdObject* object = peek(fd);
    if (object == nullptr || object->kind() != ObjectKind::socket) return {};
    if (!static_cast<const Socket*>(object)->carries_data()) return {};
    Ref<Socket> socket = find<Socket>(fd);
    if (!socket || !socket->carries_data()) return {};
    return socket;
}

}  // namespace xylem
