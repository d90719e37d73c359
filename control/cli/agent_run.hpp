// A run at an agent: the sums of what is started while it is open (control/README.md, Runs).
#pragma once

#include <cstdint>
#include <string>

#include "control/cli/agent_client.hpp"
#include "control/cli/json_field.hpp"

namespace xylem::cli {

class AgentRun {
  public:
    // Opens a run at the agent of that domain, and names it in the environment for what is started.
    static Outcome<AgentRun> open(std::uint32_t domain);

    // As they are now: the `run` report.
    Outcome<Json> sums() { return agent_.ask(QueryKind::run); }
    // The value of XYLEM_RUN.
    const std::string& name() const { return name_; }

  private:
    AgentRun(AgentClient agent, std::string name) : agent_(std::move(agent)), name_(std::move(name)) {}

    AgentClient agent_;
    std::string name_;
};

}  // namespace xylem::cli
