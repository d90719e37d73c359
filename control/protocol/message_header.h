// The header of every control message, on sessions (program <-> its agent) and on links (agent <-> agent).
// Messages are fixed-size structures, one a datagram of a SOCK_SEQPACKET socket; descriptors travel beside
// them as SCM_RIGHTS. Native byte order: both sides run on one machine. Everything received is checked for
// length, magic, version and type before a field is looked at (codec.hpp).
#pragma once

#include <cstddef>
#include <cstdint>

namespace xylem {

inline constexpr std::uint32_t kSessionMagic = 0x5353'5958;  // "XYSS"
inline constexpr std::uint32_t kLinkMagic = 0x4B4C'5958;     // "XYLK"
inline constexpr std::uint16_t kProtocolVersion = 8;
inline constexpr std::size_t kMaxMessageBytes = 512;
inline constexpr unsigned kMaxMessageFds = 3;

struct MessageHeader {
    std::uint32_t magic;
    std::uint16_t version;
    std::uint16_t type;
    std::uint32_t length_bytes;  // of the whole message
    std::uint32_t request_id;    // chosen by the asker, repeated in the answer; 0 = no answer wanted
};
static_assert(sizeof(MessageHeader) == 16);

}  // namespace xylem
