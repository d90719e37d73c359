// Runs: each `xylem run --why` that watches its programs. The command opens a run on its own session, the
// programs that it starts name the run on theirs (XYLEM_RUN), and when the command asks, it hears the sums
// of what has ended and of what is still there. A run lives as long as the session that opened it; programs
// that name another one are not counted.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "control/agent/run_sums.hpp"

namespace xylem::agent {

struct Agent;

using RunId = std::uint64_t;

class Runs {
  public:
    // False where the id is 0 or taken.
    bool open(RunId id) { return id != 0 && ended_.try_emplace(id).second; }
    void close(RunId id) { ended_.erase(id); }
    bool empty() const { return ended_.empty(); }
    // Sums of what is over; null where nobody watches.
    RunSums* find(RunId id);

  private:
    std::unordered_map<RunId, RunSums> ended_;
};

// A session that names a run. What it holds already counts as well.
void join(Agent& agent, Session& session, RunId id);
// A session is about to be forgotten: its sums stay, or the run that it opened ends.
void leave_run(Agent& agent, const Session& session);
// What has ended, and what has not.
RunSums sums_of(const Agent& agent, RunId id, const RunSums& ended);

}  // namespace xylem::agent
