// Bytes that show where they are: a running pattern, so that a comparison or a hash tells lost, doubled and
// misplaced ones.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

// `size` bytes of the pattern from position `seed` on.
inline std::string pattern(std::size_t size, std::uint64_t seed = 0) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) {
        bytes[i] = static_cast<char>((i + seed) * 131 + ((i + seed) >> 8) * 17);
    }
    return bytes;
}

// FNV-1a; `hash` is that of the bytes before.
inline std::uint64_t hash_of(const void* bytes, std::size_t size, std::uint64_t hash = 0xCBF29CE484222325) {
    const auto* byte = static_cast<const unsigned char*>(bytes);
    for (std::size_t i = 0; i < size; ++i) hash = (hash ^ byte[i]) * 0x100000001B3;
    return hash;
}

inline bool send_all(int fd, const std::string& bytes) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t sent = send(fd, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        done += static_cast<std::size_t>(sent);
    }
    return true;
}
