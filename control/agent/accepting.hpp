// Accepting connections in bounded turns, also where the descriptors have run out.
#pragma once

#include <functional>

#include "vsock-transport/base/unique_fd.hpp"

namespace xylem::agent {

class Acceptor {
  public:
    Acceptor();

    static constexpr unsigned kBatch = 64;  // a turn: other sources get theirs

    // Hands up to `most` waiting connections to `take`. Without a free descriptor, one is accepted and
    // closed, so that its program learns of it and the loop does not spin on a socket that stays readable.
    void accept_from(int listening_fd, const std::function<void(UniqueFd)>& take, unsigned most = kBatch);

  private:
    UniqueFd reserve_;
};

}  // namespace xylem::agent
