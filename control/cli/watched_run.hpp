// `xylem run --why`: a command as a child, and the sums of its run when it and its descendants are over.
#pragma once

#include <functional>
#include <string>

#include "control/cli/agent_client.hpp"
#include "control/cli/json_field.hpp"
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
    WatchedRun(AgentClient agent, std::string name) : agent_(std::move(agent)), name_(std::move(name)) {}

    AgentClient agent_;
    std::string name_;
};

}  // namespace xylem::cli
