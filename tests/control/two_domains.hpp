// Two domains of this machine, whose agents serve when a test begins.
#pragma once

#include "tests/control/agent_process.hpp"

namespace xylem::agent_test {

class TwoDomains : public testing::Test {
  protected:
    RuntimeScratch scratch_;
    AgentProcess agent_1_{1};
    AgentProcess agent_2_{2};
    bool serving_ = agent_1_.is_serving() && agent_2_.is_serving();
};

}  // namespace xylem::agent_test
