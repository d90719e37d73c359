// NodeKey: OpenSSL does the work.
#include "rdma-bridge/node_key.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <type_traits>

#include "vsock-transport/base/unique_fd.hpp"

namespace xylem::bridge {

Nonce fresh_nonce() {
    Nonce nonce{};
    if (::RAND_bytes(nonce.data(), static_cast<int>(nonce.size())) != 1)
        std::abort();  // no source of randomness
    return nonce;
}

Result<NodeKey> NodeKey::read(const std::string& path, std::string& error) {
    // Without O_NONBLOCK a FIFO would wait for its writer, and our signals with it.
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) != 0) {
        error =
            fmt::format("{}: {}; make one: head -c 32 /dev/urandom >{} with umask 077, the same on each node",
                        path, ::strerrordesc_np(errno), path);
        return fail(ErrorKind::bad_layout);
    }
    if (!S_ISREG(status.st_mode)) {
        error = fmt::format("{}: not a regular file; a key is {} to {} bytes in a file", path, kLeastBytes,
                            kMostBytes);
        return fail(ErrorKind::bad_layout);
    }
    if ((status.st_mode & 0077) != 0) {
        error = fmt::format("{}: others may read or write it (mode {:04o}); chmod 600 it, or make a new one",
                            path, status.st_mode & 07777U);
        return fail(ErrorKind::bad_layout);
    }
    std::string bytes(kMostBytes + 1, '\0');
    const ssize_t got = ::read(file.get(), bytes.data(), bytes.size());
    if (got < static_cast<ssize_t>(kLeastBytes) || got > static_cast<ssize_t>(kMostBytes)) {
        error = fmt::format("{}: {} bytes; a key has {} to {}", path, std::max<ssize_t>(got, 0), kLeastBytes,
                            kMostBytes);
        return fail(ErrorKind::bad_layout);
    }
    bytes.resize(static_cast<std::size_t>(got));
    return NodeKey(std::move(bytes));
}

Proof NodeKey::proof(Role prover, const Meeting& meeting) const {
    static_assert(std::has_unique_object_representations_v<SocketName>, "all of its bytes are said");
    std::array<std::uint8_t, 1 + 2 * kNonceBytes + sizeof(SocketName)> said{
        static_cast<std::uint8_t>(prover)};
    auto at = std::copy(meeting.diallers.begin(), meeting.diallers.end(), said.begin() + 1);
    at = std::copy(meeting.listeners.begin(), meeting.listeners.end(), at);
    std::memcpy(&*at, &meeting.to, sizeof meeting.to);
    Proof mac{};
    unsigned length = 0;
    ::HMAC(::EVP_sha256(), bytes_.data(), static_cast<int>(bytes_.size()), said.data(), said.size(),
           mac.data(), &length);
    return mac;
}

bool NodeKey::is_proof(const Proof& shown, Role prover, const Meeting& meeting) const {
    const Proof right = proof(prover, meeting);
    return ::CRYPTO_memcmp(right.data(), shown.data(), right.size()) == 0;
}

}  // namespace xylem::bridge
