// From bytes to a message and back. A received datagram is a `Received`: a buffer, a length, descriptors and
// the sender's credentials. as<T>() gives the structure only if length, magic, version and type are right.
#pragma once

#include <sys/types.h>

#include <cstring>

#include "control/protocol/message_header.h"
#include "vsock-transport/base/result.hpp"
#include "vsock-transport/base/unique_fd.hpp"

namespace xylem {

inline constexpr unsigned kMostSentFds = 253;  // SCM_MAX_FD of Linux (include/net/scm.h)

struct Received {
    alignas(8) std::byte bytes[kMaxMessageBytes];
    std::size_t size_bytes = 0;
    UniqueFd fds[kMaxMessageFds];
    unsigned fd_count = 0;
    UniqueFd surplus[kMostSentFds - kMaxMessageFds];  // no message of ours has so many
    unsigned surplus_count = 0;
    pid_t pid = 0;  // of the sender, as the kernel says; 0 where it cannot
    uid_t uid = ~0U;

    const MessageHeader& header() const { return *reinterpret_cast<const MessageHeader*>(bytes); }
    template <class T>
    const T* as() const {
        return size_bytes == sizeof(T) ? reinterpret_cast<const T*>(bytes) : nullptr;
    }
};

enum class HeaderFault : std::uint8_t { none, cut_short, wrong_magic, wrong_version, wrong_length };

// What is wrong with the first bytes of a datagram.
inline HeaderFault check_header(const Received& message, std::uint32_t magic) {
    if (message.size_bytes < sizeof(MessageHeader)) return HeaderFault::cut_short;
    const MessageHeader& header = message.header();
    if (header.magic != magic) return HeaderFault::wrong_magic;
    if (header.version != kProtocolVersion) return HeaderFault::wrong_version;
    if (header.length_bytes != message.size_bytes) return HeaderFault::wrong_length;
    return HeaderFault::none;
}

// A zeroed message with its header filled in.
template <class T, class Type>
T make_message(std::uint32_t magic, Type type, std::uint32_t request_id) {
    static_assert(sizeof(T) <= kMaxMessageBytes);
    T message{};
    message.header = {magic, kProtocolVersion, static_cast<std::uint16_t>(type),
                      static_cast<std::uint32_t>(sizeof(T)), request_id};
    return message;
}

}  // namespace xylem
