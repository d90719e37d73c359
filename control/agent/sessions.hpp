// The sessions of a domain: accepting, reading, hanging up.
#pragma once

#include <functional>
#include <unordered_map>

#include "control/agent/session.hpp"
#include "control/protocol/accepting.hpp"

namespace xylem::agent {

struct Agent;

class Sessions {
  public:
    explicit Sessions(Agent& agent) : agent_(agent) {}

    // Takes in what waits at the listening socket.
    void accept_from(int listening_fd);
    // A connected socket becomes a session that has not said hello. Null if a quota refused it.
    SessionPtr add(UniqueFd connected);
    SessionPtr find(SessionId id) const;

    // Reads what there is; called when the socket is readable. Whether there may be more.
    bool read(const SessionPtr& session);
    // Takes in what was said so far.
    void read_all(const SessionPtr& session);
    // Stops and starts reading while an answer is due.
    void await_answer(Session& session);
    void answered(const SessionPtr& session);
    // The socket is of no use any more: the reaper decides what becomes of what the session holds.
    void hang_up(const SessionPtr& session);
    // Out of the table; nothing may be held any more.
    void forget(const SessionPtr& session);

    std::size_t size() const { return by_id_.size(); }
    // Programs, and commands that watch a run or capture: one that just looks is no reason to stay.
    bool has_programs() const;
    bool is_somebody_greeting() const;
    template <class Visit>
    void for_each(Visit visit) const {
        for (const auto& [id, session] : by_id_) visit(*session);
    }
    // Sessions in limbo of that process, oldest first.
    std::vector<SessionPtr> in_limbo(pid_t pid) const;

    std::function<void()> on_change;  // a session said hello, or is gone

  private:
    Agent& agent_;
    std::unordered_map<SessionId, SessionPtr> by_id_;
    SessionId next_id_ = 1;
    Acceptor acceptor_;
};

}  // namespace xylem::agent
