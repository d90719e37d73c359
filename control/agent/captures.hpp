// Who captures what the programs of this domain move (`xylem capture`): one command at a time, which gets the
// session page of each program of its own user, of all programs if it is root's.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_set>

#include "control/agent/event_loop.hpp"
#include "control/agent/session.hpp"

namespace xylem::agent {

struct Agent;

class Captures {
  public:
    explicit Captures(Agent& agent) : agent_(agent) {}

    bool is_on() const { return by_ != 0; }
    // From here on until that command hangs up; its answers carry request_id. Not while is_on().
    void begin(Session& command, std::uint32_t request_id, std::uint32_t snap_bytes);
    // A program said hello.
    void came(Session& program);
    // Another process speaks for it: a child that its parent made the session for.
    void renamed(const Session& program);
    // A session is over, of a program or of the command itself.
    void went(const Session& session);

  private:
    struct News {
        SessionId session;
        CapturedMessage message;
    };

    CapturedMessage news_of(const Session& program, CapturedState state) const;
    void tell(const Session& program, CapturedState state);
    // As much as the command takes now, and the rest soon.
    void tell_more();
    bool tell_one(Session& command, const News& news);
    void end();

    Agent& agent_;
    SessionId by_ = 0;  // 0: nobody captures
    uid_t uid_ = ~0U;
    std::uint32_t request_id_ = 0;
    std::uint32_t snap_bytes_ = 0;
    std::deque<News> news_;               // that the command has not got yet
    std::unordered_set<SessionId> told_;  // of programs that came
    Watch again_;
};

}  // namespace xylem::agent
