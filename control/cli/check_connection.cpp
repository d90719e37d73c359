// The whole way in small: two agents with a runtime directory and a hosts map of their own, a listener in one
// domain and a connect from the other (self_test.cpp), and the agent's word that it went over a ring. Nothing
// of it stays: agents and programs are children that end here, the directory is removed.
#include <fmt/format.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "control/cli/check.hpp"
#include "control/cli/child.hpp"
#include "control/cli/installation.hpp"
#include "vsock-transport/base/clock.hpp"

namespace xylem::cli {
namespace {

constexpr std::uint64_t kTimeoutNs = 20 * kNsPerSecond;
constexpr const char* kAgentServes = "serving domain";  // of its log, once it is ready
constexpr const char* kServerAddress = "127.44.0.1";
constexpr const char* kClientAddress = "127.44.0.2";

class ScratchDirectory {
  public:
    ScratchDirectory() {
        std::error_code ignored;
        std::string name = (std::filesystem::temp_directory_path(ignored) / "xylem-doctor-XXXXXX").string();
        if (::mkdtemp(name.data()) != nullptr) path_ = name;
    }
    ~ScratchDirectory() {
        std::error_code ignored;
        if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
    }
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

std::vector<std::string> command(const char* domain, const std::vector<std::string>& words) {
    std::vector<std::string> result{own_path(), "run", "--domain", domain, "--", own_path(), "self-test"};
    result.insert(result.end(), words.begin(), words.end());
    return result;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

Check failure(const std::string& what, const std::string& output) {
    return {Verdict::fail, "connection", output.empty() ? what : what + ": " + first_line(output),
            "mend what failed above; else run 'xylem run -v -- COMMAND' and look at xylem ls"};
}

Check check_talk(const Environment& environment, std::uint64_t deadline_ns) {
    Child server(command("1", {"listen", kServerAddress}), environment);
    if (!server.read_until("\n", deadline_ns)) return failure("the server did not start", server.output());
    Child client(command("2", {"connect", kServerAddress, first_line(server.output())}), environment);
    if (client.wait(deadline_ns) != 0) return failure("the client failed", client.output());
    if (server.wait(deadline_ns) != 0) return failure("the server failed", server.output());
    const std::string transport = first_line(client.output());
    if (transport != "ring") return failure("it went over TCP", transport);
    return {Verdict::ok, "connection", "two domains talked over a ring", ""};
}

}  // namespace

Checks check_connection() {
    auto agent = find_agent();
    if (!agent || !find_library()) return {};
    const ScratchDirectory scratch;
    const std::string hosts = scratch.path() + "/hosts";
    const std::string policy = scratch.path() + "/policy";
    std::ofstream(hosts) << kServerAddress << " dom:1\n" << kClientAddress << " dom:2\n";
    std::ofstream(policy) << "allow from any to port any\n";
    if (scratch.path().empty()) return {failure("cannot make a temporary directory", "")};
    const Environment environment{{"XYLEM_RUNTIME_DIR", scratch.path()},
                                  {"XYLEM_FABRIC_DIR", scratch.path() + "/fabric"},
                                  {"XYLEM_HOSTS", hosts}};
    const std::uint64_t deadline_ns = deadline_after(kTimeoutNs);
    // Nothing that the machine's own agents are told may reach these: a fabric directory above all.
    const auto agent_of = [&](const char* domain) {
        return std::vector<std::string>{*agent,     "--config", "/dev/null", "--hosts", hosts,
                                        "--policy", policy,     "--domain",  domain};
    };
    Child first_agent(agent_of("1"), environment);
    Child second_agent(agent_of("2"), environment);
    for (Child* child : {&first_agent, &second_agent}) {
        if (!child->read_until(kAgentServes, deadline_ns))
            return {failure("no agent started", child->output())};
    }
    return {check_talk(environment, deadline_ns)};
}

}  // namespace xylem::cli
