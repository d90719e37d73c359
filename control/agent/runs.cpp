// Runs: an end counts for the run of the session that got it first, once, when it is gone; a session's TCP
// connections count from its page when the session is gone. Until then both are added to each answer.
// A program that is killed has its page and its end pages here still, so nothing is lost with it.
#include "control/agent/runs.hpp"

#include "control/agent/agent.hpp"

namespace xylem::agent {

RunSums* Runs::find(RunId id) {
    const auto found = ended_.find(id);
    return found == ended_.end() ? nullptr : &found->second;
}

void join(Agent& agent, Session& session, RunId id) {
    RunSums* run = agent.runs.find(id);
    if (run == nullptr) return;
    session.run_id = id;
    ++run->sessions;
}

void leave_run(Agent& agent, const Session& session) {
    if (session.run_id == 0) return;
    if (session.role == SessionRole::command) return agent.runs.close(session.run_id);
    if (RunSums* run = agent.runs.find(session.run_id)) run->add_page(session);
}

RunSums sums_of(const Agent& agent, RunId id, const RunSums& ended) {
    RunSums sums = ended;
    agent.ends.for_each([&](const End& end) {
        if (end.run_id == id) sums.add(end);
    });
    agent.sessions.for_each([&](const Session& session) {
        if (session.run_id == id && session.role == SessionRole::program) sums.add_page(session);
    });
    return sums;
}

}  // namespace xylem::agent
