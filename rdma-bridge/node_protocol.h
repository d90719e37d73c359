// What the bridges of two nodes say to each other, over one wire (wire.hpp) for all connections that one of
// them opened: each bridge dials for its own. Every frame begins with a FrameHeader; numbers are little
// endian, as both machines are.
//
//   greet      both, first            version, a nonce, the port at which the sender listens; of the dialler
//                                     whom it means to reach
//   proof      both, after greet      that the sender has the key of the nodes (node_key.hpp); then the link
//                                     is ready
//   refused    before closing         why, in words
//   resume     dialler -> listener    a connection of an earlier link that is to go on
//   resumed    the answer             or gone
//   caught_up  dialler -> listener    behind the last resume; what was not named is over
//   open       dialler -> listener    a connection of one of its domains with one of theirs
//   opened     the answer             Reason::ring, or why not
//   data       both                   bytes of the ring that the sender's program produces, in order, from
//                                     `cursor` on
//   window     both                   where the sender's device takes bytes of the receiver's program
//   placed     both                   as data, of bytes that the device has written there already
//   update     both                   what else that program published: its tail and its states; of an
//   accepting
//                                     end that is kept, for it, that it was shown the call (stream/reuse.cpp)
//   gone       both                   the sender has no program any more at its end; nothing else follows
//
// The ring holds what was sent until the far program has consumed it, so there is no other window: a sender
// knows the far tail, and no more than the ring's size may be under way. For the same reason a link that is
// lost loses nothing: on the next one each side says how far it had received, and the other sends again from
// there on; states, too. A frame of a connection that the receiver does not know any more is passed over. One
// that cannot be breaks the link.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vsock-transport/base/socket_name.h"

namespace xylem::bridge {

inline constexpr std::uint32_t kNodeMagic = 0x4E4E'5958;  // "XYNN"
inline constexpr std::uint16_t kNodeVersion = 5;
inline constexpr std::uint16_t kNodePort = 7480;
inline constexpr std::size_t kNonceBytes = 32;
inline constexpr std::size_t kProofBytes = 32;  // HMAC-SHA256
inline constexpr std::size_t kMostWords = 255;  // of a refusal
inline constexpr std::size_t kMostDataBytes = 64 << 10;
// Data no longer than this is cheaper beside its frame than placed.
inline constexpr std::size_t kMostCarriedBytes = 512;

enum class FrameKind : std::uint16_t {
    greet = 1,
    proof,
    refused,
    resume,
    resumed,
    caught_up,
    open,
    opened,
    data,
    update,
    gone,
    window,
    placed
};

struct FrameHeader {
    std::uint32_t length_bytes;  // of the whole frame
    std::uint16_t kind;          // FrameKind
    std::uint16_t reserved;
    std::uint32_t connection;  // of resume and what follows: a number that the dialler chose
    std::uint32_t reserved2;
};

struct GreetFrame {
    FrameHeader header;
    std::uint32_t magic;
    std::uint16_t version;
    std::uint16_t listen_port;
    std::uint8_t nonce[kNonceBytes];
    SocketName to;  // of the dialler: the node's name in its hosts map; port 0 is the usual one
};

struct ProofFrame {
    FrameHeader header;
    std::uint8_t proof[kProofBytes];
};

struct RefusedFrame {
    FrameHeader header;
    char words[kMostWords + 1];  // ends with a zero
};

// How far an end has come.
struct Progress {
    std::uint64_t received;  // cursor of the first byte that did not come
    std::uint64_t tail;      // consumed by the program
};

struct ResumeFrame {
    FrameHeader header;
    std::uint64_t connection_id;  // as in OpenFrame, as the domains are
    Progress progress;
    std::uint32_t from_domain;
    std::uint32_t to_domain;
};

struct ResumedFrame {
    FrameHeader header;
    Progress progress;
};

struct CaughtUpFrame {
    FrameHeader header;
};

struct OpenFrame {
    FrameHeader header;
    std::uint64_t connection_id;  // unique at the connecting domain
    SocketName source;
    SocketName destination;
    std::uint64_t ring_size_bytes[2];
    std::uint32_t from_domain;  // as the sender's node calls it
    std::uint32_t to_domain;    // as the receiver's node calls it
    std::uint32_t flags;        // ConnectFlags
    std::uint32_t spin_ns;
};

struct OpenedFrame {
    FrameHeader header;
    std::uint32_t reason;  // Reason
    std::uint32_t reserved;
};

// Followed by the bytes.
struct DataFrame {
    FrameHeader header;
    std::uint64_t cursor;  // of the first byte
    std::uint64_t tail;    // as in UpdateFrame
};

// Behind opened or resumed; not where the bytes are to travel with the frames.
struct WindowFrame {
    FrameHeader header;
    std::uint64_t address;
    std::uint64_t size_bytes;  // of the ring
    std::uint32_t key;         // the device's
    std::uint32_t reserved;
};

struct PlacedFrame {
    FrameHeader header;
    std::uint64_t cursor;  // of the first byte
    std::uint64_t tail;    // as in UpdateFrame
    std::uint64_t size_bytes;
};

struct UpdateFrame {
    FrameHeader header;
    std::uint64_t tail;         // consumed by the sender's program
    std::uint32_t tx_state;     // TxState, tagged; final only behind the last data
    std::uint32_t rx_state;     // RxState, tagged
    std::uint32_t call_state;   // CallState, of the connecting end
    std::uint16_t caller_port;  // of this use, as would_keep in the slab
    std::uint16_t would_keep;
};

struct GoneFrame {
    FrameHeader header;
    std::uint32_t is_vanished;  // without having closed: a killed program whose agent had no memory of it
    std::uint32_t reserved;
};

// A zeroed frame with its header filled in.
template <class Frame>
Frame make_frame(FrameKind kind, std::uint32_t connection = 0) {
    Frame frame{};
    frame.header.length_bytes = sizeof(Frame);
    frame.header.kind = static_cast<std::uint16_t>(kind);
    frame.header.connection = connection;
    return frame;
}

inline constexpr std::size_t kMostFrameBytes = sizeof(DataFrame) + kMostDataBytes;

static_assert(sizeof(FrameHeader) == 16);
static_assert(sizeof(GreetFrame) == 56 + sizeof(SocketName) && sizeof(OpenFrame) == 120 &&
              sizeof(DataFrame) == 32);
static_assert(sizeof(UpdateFrame) == 40 && sizeof(WindowFrame) == 40 && sizeof(PlacedFrame) == 40);

}  // namespace xylem::bridge
