// What a program's guest library (and the xylem command) says to its agent, and hears.
// One session a process, over SOCK_SEQPACKET at <runtime>/dom-<N>/agent.sock. The agent learns who speaks
// from the kernel (SCM_CREDENTIALS on every message), never from a field. Questions are answered in order, by
// an answer of the named type or by `failed`.
//
//   question    answer       descriptors            what happens
//   hello       welcome      -> session page (opt)  opens the session; with clone_of, it holds all that that
//                            <- map table           session holds (sent by a parent before fork)
//   get_map     map          <- map table           after the old table said superseded
//   listen      listening    -> kernel socket (opt) a kernel socket that listens is offered to other domains;
//                            [, accept queue]       the same cookie again: changes the backlog. A queue that
//                            an
//                            <- accept queue        earlier agent gave is gone on with
//   unlisten    -                                   the sender holds the listener no more
//   accepted    -            -> kernel socket (opt) the sender took an end from the accept queue, and holds
//   it connect     attached     -> kernel socket (opt) makes a connection (failed: why it must be TCP)
//                            <- slab, end page
//   release     -                                   the sender holds the end no more; the last closes it
//   bell_new    bell         -> kick [, area]       a doorbell for waiting on ends whose peer is in a domain
//                            <- channel [, area]    kind = event_channel: what that peer, another guest,
//                            rings
//   bell_free   -
//   bell_find   bell         <- kick [, area]       somebody's doorbell, to ring it
//   bell_ring   -                                   the agent rings it, for who can take no descriptor
//   adopt       attached | listening                a kernel socket that was inherited or received, known by
//                            -> kernel socket (opt) its cookie
//   rejoin      done |       -> kernel socket (opt) after the agent restarted, or gave notice in the session
//               peer_gone                           page: an end that this process holds. peer_gone: nobody
//                                                   has the far end, and no agent can say so in the slab
//   capture     done, then   -                      for the xylem command: it reads what programs move
//               captured ... <- session page        (capture_layout.h). An answer for each program, when it
//               comes
//                                                   and when it goes; without a page where it is another
//                                                   user's. failed: EBUSY, somebody captures already
//   query       report       <- JSON text (memfd)   for the xylem command: what = QueryKind
//   run         done                                a command opens a run (XYLEM_RUN) that it will query; a
//                                                   program joins it: what it does from here on counts
//   bypass      -                                   a program of a run whose sockets the library does not
//                                                   carry: the one message that may come without hello
//   lend        done                                descriptors of what the session holds may come to
//                                                   processes that do not say so (spawned, or by SCM_RIGHTS)
//   bind        bound        -> kernel socket (opt) an AF_VSOCK port of this domain becomes the socket's, or
//                                                   (recall) is named again; failed: sys_errno says why
//   unbind      -                                   the sender holds the socket's AF_VSOCK port no more
//
// A kernel socket that an agent was shown is not kept open by it. It lets the agent see whether some process
// or message still has it, and proves to adopt that the asker has it.
//
// The accept queue of a listener is a socket (AF_UNIX, SOCK_DGRAM) that is connected to itself. The agent
// puts an `attached` message for each connection into it, with slab and end page; programs that have the
// listener take them out. So what waits there is kept by the kernel for them, whatever becomes of the agent.
#pragma once

#include "control/protocol/message_header.h"
#include "vsock-transport/base/socket_name.h"

namespace xylem {

enum class SessionMessage : std::uint16_t {
    hello = 1,
    get_map,
    listen,
    unlisten,
    accepted,
    connect,
    release,
    bell_new,
    bell_free,
    bell_find,
    adopt,
    rejoin,
    query,
    lend,
    bind,
    unbind,
    run,
    bypass,
    bell_ring,
    capture,
    // Answers.
    welcome = 64,
    map,
    listening,
    attached,
    bell,
    done,
    report,
    failed,
    bound,
    peer_gone,
    captured,
};

struct HelloMessage {
    MessageHeader header;
    std::uint64_t clone_of;  // session id, 0 = none
    std::uint32_t has_page;  // 1: a session page travels with it
    std::uint32_t role;      // SessionRole
    char program[64];        // NUL-terminated, for people
};
enum class SessionRole : std::uint32_t { program = 0, command = 1 };

struct WelcomeMessage {
    MessageHeader header;
    std::uint64_t session_id;
    std::uint64_t agent_boot_id;  // random; another value means a restarted agent
    std::uint32_t own_domain;
    std::uint32_t reserved;
};

// get_map, map, done, peer_gone
struct PlainMessage {
    MessageHeader header;
};

enum ListenFlags : std::uint32_t { kListenV6Only = 1 };
struct ListenMessage {
    MessageHeader header;
    std::uint64_t cookie;  // SO_COOKIE of the kernel socket
    SocketName local;      // as bound; the port is never 0, but of AF_VSOCK
    std::uint32_t backlog;
    std::uint32_t flags;
};

struct ListeningMessage {
    MessageHeader header;
    std::uint64_t listener_id;
};

// unlisten: listener_id; bell_free: doorbell id; adopt, unbind: cookie; lend: cookie, 0 = all;
// run: its id
struct IdMessage {
    MessageHeader header;
    std::uint64_t id;
};

// AF_VSOCK has no kernel socket that could own its port (the kernel's ports are one machine's, not one
// domain's), so the agent keeps them, by the cookie of the descriptor that stands for the socket.
enum BindFlags : std::uint32_t { kBindRecall = 1 };  // the port that the cookie has already; local is ignored
struct BindMessage {
    MessageHeader header;
    std::uint64_t cookie;
    SocketName local;  // VMADDR_CID_ANY or the domain's cid; VMADDR_PORT_ANY: the agent chooses
    std::uint32_t flags;
    std::uint32_t reserved;
};

struct BoundMessage {
    MessageHeader header;
    SocketName local;
};

enum ConnectFlags : std::uint32_t { kConnectDryRun = 1 };  // answers `done` instead of `attached`
struct ConnectMessage {
    MessageHeader header;
    std::uint64_t cookie;
    SocketName local;               // as bound
    SocketName peer;                // as asked for
    std::uint64_t ring_size_bytes;  // 0: the hosts line's, or the default
    std::uint32_t spin_ns;          // kUnsetSpinNs: the hosts line's, or the default
    std::uint32_t flags;
};
inline constexpr std::uint32_t kUnsetSpinNs = ~0U;

struct AttachedMessage {
    MessageHeader header;
    std::uint64_t end_id;
    std::uint64_t slab_bytes;
    std::uint64_t cookie;
    std::uint64_t agent_boot_id;  // who made the end; a queue may hold those of an earlier agent
    std::uint32_t holder;         // who maps the slab: its byte of HolderBytes (slab_layout.h); 0: none
    std::uint32_t reserved;
};

struct AcceptedMessage {
    MessageHeader header;
    std::uint64_t end_id;
    std::uint64_t listener_id;
};

// disconnect: a reset for all who hold the end, whose kernel socket goes on without it.
enum class ReleaseMode : std::uint32_t { orderly = 0, abort = 1, disconnect = 2 };
struct ReleaseMessage {
    MessageHeader header;
    std::uint64_t end_id;
    std::uint32_t mode;  // ReleaseMode, counts if this was the last holder
    std::uint32_t reserved;
};

struct BellNewMessage {
    MessageHeader header;
    std::uint32_t peer_domain;
    std::uint32_t has_area;   // 0 or 1
    std::uint32_t wanted_id;  // the id that an earlier agent gave it, which peers know; 0 = none
    std::uint32_t
        wants_channel;  // 0 or 1: sleeps on an event channel, too, where that is what the peer rings
};

enum BellFindFlags : std::uint32_t { kFindRelayed = 1 };  // no event channel, whose kick is an ioctl
struct BellFindMessage {
    MessageHeader header;
    std::uint32_t domain;
    std::uint32_t doorbell_id;
    std::uint32_t flags;
    std::uint32_t reserved;
};

struct BellRingMessage {
    MessageHeader header;
    std::uint64_t token;  // WaitToken
    std::uint32_t domain;
    std::uint32_t reserved;
};

struct BellMessage {
    MessageHeader header;
    std::uint32_t doorbell_id;
    std::uint32_t kind;  // KickKind
    std::uint32_t has_area;
    std::uint32_t port;  // of an event channel, as the descriptor's domain calls it
};

struct RejoinMessage {
    MessageHeader header;
    std::uint64_t end_id;  // the old agent's id; the new agent keeps it
    std::uint64_t cookie;
    std::uint64_t connection_id;  // as in the end page
    SocketName local;
    SocketName peer;
    std::uint32_t own_domain;
    std::uint32_t peer_domain;
    std::uint32_t side;
    std::uint32_t is_granted;  // the slab is of another guest's or for one
};

enum class QueryKind : std::uint32_t {
    sockets = 1,
    statistics = 2,
    map = 3,
    health = 4,
    explain = 5,
    run = 6,  // the one that the asker opened
};
struct QueryMessage {
    MessageHeader header;
    std::uint32_t what;
    std::uint32_t reserved;
    SocketName target;  // explain only
};

struct BypassMessage {
    MessageHeader header;
    std::uint64_t run_id;
    std::uint32_t reason;  // Reason: static_program to io_uring
    std::uint32_t reserved;
    char program[64];  // NUL-terminated, for people
};

struct CaptureMessage {
    MessageHeader header;
    std::uint32_t snap_bytes;  // so many of each piece; 0 = as many as there are
    std::uint32_t reserved;
};

// renamed: it is another process by now, which its parent made it for.
enum class CapturedState : std::uint32_t { came = 1, went = 2, not_yours = 3, renamed = 4 };
struct CapturedMessage {
    MessageHeader header;
    std::uint64_t session_id;
    std::uint64_t begin;        // came: CaptureArea::head as capturing began
    std::uint64_t lost_before;  // the same of lost_pieces
    std::uint32_t state;        // CapturedState
    std::uint32_t pid;
    char program[64];  // NUL-terminated, for people
};

struct ReportMessage {
    MessageHeader header;
    std::uint64_t size_bytes;  // of the JSON text in the memfd
};

struct FailedMessage {
    MessageHeader header;
    std::uint32_t reason;  // Reason
    std::uint32_t sys_errno;
};

static_assert(sizeof(HelloMessage) == 96);
static_assert(sizeof(WelcomeMessage) == 40);
static_assert(sizeof(ListenMessage) == 64);
static_assert(sizeof(BindMessage) == 64);
static_assert(sizeof(BoundMessage) == 48);
static_assert(sizeof(ConnectMessage) == 104);
static_assert(sizeof(AttachedMessage) == 56);
static_assert(sizeof(RejoinMessage) == 120);
static_assert(sizeof(BypassMessage) == 96);
static_assert(sizeof(CapturedMessage) == 112);
static_assert(sizeof(RejoinMessage) <= kMaxMessageBytes);

}  // namespace xylem
