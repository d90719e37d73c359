// What the agents of two domains say to each other, over SOCK_SEQPACKET at <fabric>/<N>.link.
// Either side may dial; each agent dials for its own questions and answers on the same connection, so a pair
// has up to two links. The dialler is sure whom it reached by the path; the answerer checks a claimed domain
// against the owner of <fabric>/<claimed>.link (control/agent/links.cpp). A slab comes behind an open file
// description of its own, through which the receiver locks its side (control/agent/side_lock.cpp).
//
// For domains of other nodes the bridge is the peer: at <fabric>/bridge.link, and as whatever domain it
// speaks for.
//
//   question   answer     descriptors      what happens
//   hello      hello      -                versions, domains, boot ids
//   connect    connected  -> slab          an accept-queue entry at the far end; `reason` says ring, or why
//   rejoin     rejoined   [-> slab]        only to a bridge: it has the far end still, or takes it up
//                         [<- slab]        again, or `reason` says why not. To an agent that was started
//                                          again and has no slab, the bridge gives it, for the next bridge
//   bell_find  bell       <- kick [, area] a doorbell of the far domain that waits on an end with this
//                                          domain. Between guests: no descriptors, but an event channel's
//                                          port [, ref]
//   bell_gone  -                           a doorbell whose event channel was told is no more
//   ended      -                           this side's end of the connection is closed and unmapped
//   vanished   -                           this side's holder is gone and nothing could be published
//   ring       -                           a program here rings a doorbell there, which it cannot do itself
#pragma once

#include "control/protocol/message_header.h"
#include "vsock-transport/base/socket_name.h"

namespace xylem {

enum class LinkMessage : std::uint16_t {
    hello = 1,
    connect,
    connected,
    bell_find,
    bell,
    ended,
    vanished,
    ring,
    bell_gone,
    rejoin,
    rejoined,
};

struct LinkHelloMessage {
    MessageHeader header;
    std::uint64_t boot_id;
    std::uint32_t domain;     // the sender's
    std::uint32_t to_domain;  // whom it wants to speak to: a bridge speaks for many
};

struct LinkConnectMessage {
    MessageHeader header;
    std::uint64_t connection_id;  // unique at the connecting domain, over its agent's restarts too
    SocketName source;
    SocketName destination;
    std::uint64_t ring_size_bytes[2];
    std::uint64_t slab_bytes;
    std::uint32_t flags;  // ConnectFlags; a dry run carries no slab
    std::uint32_t spin_ns;
};

struct LinkConnectedMessage {
    MessageHeader header;
    std::uint64_t connection_id;
    std::uint32_t reason;  // Reason::ring, or why not
    std::uint32_t reserved;
};

struct LinkBellFindMessage {
    MessageHeader header;
    std::uint32_t doorbell_id;
    std::uint32_t reserved;
};

struct LinkBellMessage {
    MessageHeader header;
    std::uint32_t doorbell_id;
    std::uint32_t kind;  // KickKind, 0 = no such doorbell for you
    std::uint32_t has_area;
    std::uint32_t port;      // of an event channel, to be bound
    std::uint32_t area_ref;  // its flag area: the GrantRef of a page
    std::uint32_t reserved;
};

struct LinkBellGoneMessage {
    MessageHeader header;
    std::uint32_t doorbell_id;
    std::uint32_t reserved;
};

struct LinkRejoinMessage {
    MessageHeader header;
    std::uint64_t connection_id;
    std::uint64_t ring_size_bytes[2];
    std::uint32_t connecting_domain;
    std::uint32_t side;  // of the sender's end
};

struct LinkRejoinedMessage {
    MessageHeader header;
    std::uint64_t connection_id;
    std::uint64_t ring_size_bytes[2];
    std::uint32_t reason;  // Reason::ring, or why not
    std::uint32_t reserved;
};

// ended, vanished. side: of the sender's end, since a connection of a domain with itself has both.
struct LinkEndMessage {
    MessageHeader header;
    std::uint64_t connection_id;
    std::uint32_t connecting_domain;
    std::uint32_t side;
};

struct LinkRingMessage {
    MessageHeader header;
    std::uint64_t token;  // WaitToken
};

static_assert(sizeof(LinkConnectMessage) == 120);

}  // namespace xylem
