// The key that the nodes share, and how they show each other that they have it: each sends a nonce, then an
// HMAC-SHA256 (RFC 2104) of its role, both nonces and whom the dialler means to reach. Who replays or
// reflects what it heard has other nonces or another role; who hands it on to another node than was meant has
// a proof for the wrong one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "rdma-bridge/node_protocol.h"
#include "vsock-transport/base/result.hpp"

namespace xylem::bridge {

using Nonce = std::array<std::uint8_t, kNonceBytes>;
using Proof = std::array<std::uint8_t, kProofBytes>;
enum class Role : std::uint8_t { dialler = 1, listener = 2 };

// What both ends of a link have said to each other.
struct Meeting {
    Nonce diallers{};
    Nonce listeners{};
    SocketName to{};  // the listener, as the dialler calls it
};

Nonce fresh_nonce();

class NodeKey {
  public:
    static constexpr std::size_t kLeastBytes = 16;
    static constexpr std::size_t kMostBytes = 4096;

    // The file's bytes are the key. Nobody but its owner may read or write it. Else `error` says what to do.
    static Result<NodeKey> read(const std::string& path, std::string& error);
    explicit NodeKey(std::string bytes) : bytes_(std::move(bytes)) {}

    Proof proof(Role prover, const Meeting& meeting) const;
    // In constant time.
    bool is_proof(const Proof& shown, Role prover, const Meeting& meeting) const;

  private:
    std::string bytes_;
};

}  // namespace xylem::bridge
