// Ringing doorbells of other domains for ends that the agent closes. The bell has to be asked for first; many
// ends may wait for the same one, so there is one question at a time for each.
#pragma once

#include <compare>
#include <map>
#include <vector>

#include "control/protocol/codec.hpp"
#include "vsock-transport/wakeup/wait_token.hpp"

namespace xylem::agent {

struct Agent;

class FarBells {
  public:
    explicit FarBells(Agent& agent) : agent_(agent) {}

    // Rings when the far agent has told where the bell is; never, if it does not.
    void ring(std::uint32_t domain, WaitToken token);

  private:
    struct Key {
        std::uint32_t domain;
        std::uint32_t id;
        auto operator<=>(const Key&) const = default;
    };
    void on_answer(Key key, Received* answer);

    Agent& agent_;
    std::map<Key, std::vector<WaitToken>> waiting_;
};

}  // namespace xylem::agent
