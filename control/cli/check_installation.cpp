// Are all parts there, and does the loader take the library? The loader's own word counts: a child is run
// with it preloaded, and both what the child sees and what the loader complains about are read.
#include <fmt/format.h>

#include "control/cli/check.hpp"
#include "control/cli/child.hpp"
#include "control/cli/installation.hpp"
#include "vsock-transport/base/clock.hpp"

namespace xylem::cli {
namespace {

constexpr std::uint64_t kChildTimeoutNs = 10 * kNsPerSecond;

Check check_preload(const std::string& library) {
    Child child({"env"}, {{"LD_PRELOAD", library}, {"XYLEM_DISABLE", "1"}});
    const int exit_code = child.wait(deadline_after(kChildTimeoutNs));
    const std::string& output = child.output();
    if (const std::size_t at = output.find("ld.so:"); at != output.npos) {
        return {Verdict::fail, "preload", output.substr(at, output.find('\n', at) - at),
                "build the library for this machine, and install what it needs"};
    }
    if (exit_code != 0 || output.find("LD_PRELOAD=" + library + "\n") == output.npos) {
        return {Verdict::fail, "preload", "a child does not see LD_PRELOAD",
                "find out what clears it: a wrapper of env(1), a security module"};
    }
    return {Verdict::ok, "preload", "the loader takes the library", ""};
}

}  // namespace

Checks check_installation() {
    Checks checks;
    auto agent = find_agent();
    checks.push_back(agent
                         ? Check{Verdict::ok, "agent program", *agent, ""}
                         : Check{Verdict::fail, "agent program", agent.error().wrong, agent.error().remedy});
    auto library = find_library();
    if (!library) {
        checks.push_back({Verdict::fail, "library", library.error().wrong, library.error().remedy});
        return checks;
    }
    checks.push_back({Verdict::ok, "library", *library, ""});
    checks.push_back(check_preload(*library));
    return checks;
}

}  // namespace xylem::cli
