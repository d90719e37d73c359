// `xylem run --why`: a command as a child, and the sums of its run when it and its descendants are over.
#pragma once

#include <functional>
#include <string>

#include "control/cli/agent_run.hpp"
#include "control/protocol/reason.hpp"

namespace xylem::cli {

class WatchedRun {
  public:
    // Opens a run at the agent of that domain, and names it in the environment for what is started.
    static Outcome<WatchedRun> open(std::uint32_t domain);

    // Runs become() in a child, which returns only if it could not, waits for the child and for every program
    // of the run, and prints the sums. Returns as the command ended: its exit code, or by its signal.
    // obstacle: what keeps the library out of the command itself, none for nothing.
    Outcome<int> run(const std::string& program, Reason obstacle,
                     const std::function<tl::unexpected<Failure>()>& become);

  private:
    explicit WatchedRun(AgentRun run) : run_(std::move(run)) {}

    AgentRun run_;
};

}  // namespace xylem::cli
