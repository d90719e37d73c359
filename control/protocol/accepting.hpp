// Accepting connections in bounded turns, also where the descriptors have run out.
#pragma once

#include <utility>

#include "vsock-transport/base/unique_fd.hpp"

namespace xylem {

class Acceptor {
  public:
    Acceptor();

    static constexpr unsigned kBatch = 64;  // a turn: other sources get theirs

    // Hands up to `most` waiting connections to `take`, a void(UniqueFd). Without a free descriptor, one is
    // accepted and closed, so that its program learns of it and the loop does not spin on a socket that stays
    // readable.
    template <class Take>
    void accept_from(int listening_fd, Take take, unsigned most = kBatch) {
        UniqueFd connected;
        for (unsigned i = 0; i < most && next(listening_fd, connected); ++i) {
            if (connected) take(std::move(connected));
        }
    }

  private:
    // False: nobody waits.
    bool next(int listening_fd, UniqueFd& connected);

    UniqueFd reserve_;
};

}  // namespace xylem
