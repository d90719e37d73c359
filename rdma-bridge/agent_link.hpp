// A link with the agent of a domain of this node, on behalf of one remote domain: what that domain's agent
// would say and hear if it were on this machine (control/protocol/link_protocol.h). Two for each pair at
// most, as between agents: `in` was dialled by the agent and asks us, `out` by us. Not to be destroyed within
// one of its own calls.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <vector>

#include "control/protocol/codec.hpp"
#include "control/protocol/link_protocol.h"
#include "rdma-bridge/poller.hpp"

namespace xylem::bridge {

// Which domain of this node, and for which remote one we speak.
struct Pair {
    std::uint32_t local;
    std::uint32_t remote;

    auto operator<=>(const Pair&) const = default;
};

class AgentLink {
  public:
    // Null: the link broke before there was an answer.
    using Answer = std::function<void(Received* answer)>;
    static constexpr std::size_t kMostQuestions = 1024;  // each way, not answered yet, in time or not
    struct Events {
        std::function<bool(const Pair&)> may_dial;              // an agent, of that pair
        std::function<void(AgentLink&)> on_ready;               // greeted; its pair is known
        std::function<void(AgentLink&, Received&)> on_message;  // no answer to a question of ours
        std::function<void(AgentLink&)> on_broken;              // the last call
    };

    // Dialled by an agent. For whom we are to speak it says in its hello.
    AgentLink(Poller& poller, UniqueFd connected, std::uint64_t boot_id, Events events);
    // Dialled by us.
    AgentLink(Poller& poller, UniqueFd connected, std::uint64_t boot_id, const Pair& pair, Events events);
    ~AgentLink();
    AgentLink(const AgentLink&) = delete;
    AgentLink& operator=(const AgentLink&) = delete;

    const Pair& pair() const { return pair_; }
    bool is_dialled_by_us() const { return is_out_; }
    std::size_t question_count() const { return pending_.size(); }  // not answered yet
    std::size_t asked_count = 0;  // connects that it waits for; for whoever answers them

    template <class Message>
    void ask(Message message, const std::vector<int>& fds, Answer answer) {
        if (is_broken_) return (void)poller_.after(0, [answer = std::move(answer)] { answer(nullptr); });
        message.header.request_id = ++last_request_;
        pending_[last_request_] = std::move(answer);
        send(&message, sizeof message, fds);
    }
    template <class Message>
    void send(const Message& message, const std::vector<int>& fds = {}) {
        send(&message, sizeof message, fds);
    }
    void break_it(const std::string& why);

  private:
    struct Unsent {
        std::vector<std::byte> bytes;
        std::vector<UniqueFd> fds;
    };

    void watch();
    void send(const void* message, std::size_t size_bytes, const std::vector<int>& fds);
    bool send_now(const void* message, std::size_t size_bytes, const std::vector<int>& fds);
    void greet(std::uint32_t request_id);
    void on_events(std::uint32_t events);
    void flush();
    void read();
    bool take(Received& message);
    bool on_hello(const LinkHelloMessage& hello);

    Poller& poller_;
    UniqueFd socket_;
    const std::uint64_t boot_id_;
    Pair pair_{};
    const bool is_out_;
    bool is_ready_ = false;
    bool is_broken_ = false;
    Events events_;
    std::deque<Unsent> unsent_;  // before the greeting is answered, or while the socket is full
    std::map<std::uint32_t, Answer> pending_;
    std::uint32_t last_request_ = 0;
    Poller::TimerId greeting_timer_ = 0;
};

}  // namespace xylem::bridge
