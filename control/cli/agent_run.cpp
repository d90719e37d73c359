// AgentRun: the id is random, so that runs at once do not meet.
#include "control/cli/agent_run.hpp"

#include <fmt/format.h>
#include <stdlib.h>
#include <sys/random.h>

namespace xylem::cli {

Outcome<AgentRun> AgentRun::open(std::uint32_t domain) {
    std::uint64_t id = 0;
    while (id == 0) {
        if (::getrandom(&id, sizeof id, 0) != sizeof id)
            return failed(kFailed, "the kernel has no random number");
    }
    auto agent = AgentClient::open(domain);
    if (!agent) return tl::unexpected(agent.error());
    if (auto opened = agent->open_run(id); !opened) return tl::unexpected(opened.error());
    std::string name = fmt::format("{:016x}", id);
    ::setenv("XYLEM_RUN", name.c_str(), 1);
    return AgentRun(std::move(*agent), std::move(name));
}

}  // namespace xylem::cli
