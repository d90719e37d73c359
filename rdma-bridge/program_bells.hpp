// Doorbells of programs here, as their agents told where they are. Asked for once each; what is to be rung
// meanwhile is rung then. A kick that is lost costs its waiter time: every sleep is bounded.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "rdma-bridge/agent_link.hpp"
#include "vsock-transport/wakeup/doorbell.hpp"

namespace xylem::bridge {

class ProgramBells {
  public:
    // link_for: on which a pair's agent is asked; null if there is none. later: does something in another
    // turn.
    ProgramBells(std::function<AgentLink*(const Pair&)> link_for,
                 std::function<void(std::function<void()>)> later)
        : link_for_(std::move(link_for)), later_(std::move(later)) {}

    // Only if it is an epoll set's, which has a flag area, or only if it is not. One that is not known counts
    // as none.
    void ring(const Pair& pair, WaitToken token, bool is_sets);
    // Whether ring() would ring at once, or never. Else `then` is called when that is so.
    bool is_known(const Pair& pair, WaitToken token, const std::function<void()>& then);
    // Those that were not rung for a while. Until then they are kept, connections or not: programs that make
    // one after the other have the same doorbells. Agents never give an id to another one.
    void forget_idle();

  private:
    static constexpr std::size_t kMostBells = 16384;
    struct Key {
        Pair pair;
        std::uint32_t id;
        auto operator<=>(const Key&) const = default;
    };
    struct Bell {
        Doorbell doorbell;
        bool has_area = false;
        bool is_asked = false;
        std::vector<WaitToken> waiting;           // while its agent is asked
        std::vector<std::function<void()>> then;  // the same
        std::uint64_t used_ns = 0;
        std::uint64_t ask_again_ns = 0;  // of one that nobody knew
    };

    Bell& bell_of(const Key& key);
    void ask(const Key& key);
    void on_answer(const Key& key, Received* answer);

    static void install(Bell& bell, std::uint32_t id, Received* answer);

    std::function<AgentLink*(const Pair&)> link_for_;
    std::function<void(std::function<void()>)> later_;
    std::map<Key, Bell> bells_;
};

}  // namespace xylem::bridge
