// Starting an agent: fork a starter, which leaves the session (setsid), forks the agent, waits until that
// domain answers or the agent has ended, and exits. The starter is in between so that the agent does not
// become a child of the program that `run` turns into: a program that waits for its children must find only
// its own.
//
// Two callers at once start two agents. The agents' lock lets one live; the other exits with kExitTaken, and
// its starter goes on waiting for the first one's answer, so both callers come out right.
#include "control/cli/agent_start.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "control/cli/agent_client.hpp"
#include "control/cli/agent_log.hpp"
#include "control/cli/exec_words.hpp"
#include "control/cli/installation.hpp"
#include "control/cli/json_field.hpp"
#include "vsock-transport/base/clock.hpp"

namespace xylem::cli {
namespace {

constexpr std::uint64_t kStartTimeoutNs = 10 * kNsPerSecond;
constexpr unsigned kPollIntervalUs = 2'000;
constexpr int kExitTaken = 3;  // of xylemd: another agent serves the domain
constexpr const char* kIdleExitSeconds = "10";

bool answers(std::uint32_t domain) { return AgentClient::open(domain).has_value(); }

std::vector<std::string> command_of(const AgentWish& wish, const std::string& agent) {
    std::vector<std::string> words{agent, "--domain", std::to_string(wish.domain), "--idle-exit",
                                   kIdleExitSeconds};
    if (wish.hosts_file) words.insert(words.end(), {"--hosts", *wish.hosts_file});
    if (wish.policy_file) words.insert(words.end(), {"--policy", *wish.policy_file});
    return words;
}

[[noreturn]] void become_agent(const std::vector<std::string>& words, int log) {
    std::vector<char*> arguments = exec_words(words);
    ::unsetenv("LD_PRELOAD");
    const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    // Whatever else this shell handed down is not for the agent to keep open.
    ::close_range(STDERR_FILENO + 1, ~0U, 0);
    if (::chdir("/") == 0) ::execv(arguments[0], arguments.data());
    ::dprintf(STDERR_FILENO, "%s: %s\n", arguments[0], ::strerror(errno));
    ::_exit(kCannotExecute);
}

// In the starter. Returns its exit code.
int start_and_wait(std::uint32_t domain, const std::vector<std::string>& words, int log) {
    ::setsid();
    const pid_t agent = ::fork();
    if (agent < 0) return kFailed;
    if (agent == 0) become_agent(words, log);
    const std::uint64_t deadline_ns = deadline_after(kStartTimeoutNs);
    bool is_alive = true;
    while (now_ns() < deadline_ns) {
        if (answers(domain)) return kOk;
        int status = 0;
        if (is_alive && ::waitpid(agent, &status, WNOHANG) == agent) {
            if (!WIFEXITED(status) || WEXITSTATUS(status) != kExitTaken) return kFailed;
            is_alive = false;
        }
        ::usleep(kPollIntervalUs);
    }
    return kFailed;
}

Outcome<void> start(const AgentWish& wish) {
    auto agent = find_agent();
    if (!agent) return failed(kNoAgent, agent.error().wrong, agent.error().remedy);
    auto log = AgentLog::open(wish.domain, wish.log_file);
    if (!log) return tl::unexpected(log.error());
    const std::vector<std::string> words = command_of(wish, *agent);
    const pid_t starter = ::fork();
    if (starter < 0) return failed(kNoAgent, fmt::format("cannot start an agent: {}", ::strerror(errno)));
    if (starter == 0) ::_exit(start_and_wait(wish.domain, words, log->fd()));
    int status = 0;
    while (::waitpid(starter, &status, 0) < 0 && errno == EINTR) continue;
    if (WIFEXITED(status) && WEXITSTATUS(status) == kOk) return {};
    std::string wrong = fmt::format("the agent of domain {} did not start", wish.domain);
    if (const std::string words_left = log->last_words(); !words_left.empty()) wrong += ":\n" + words_left;
    return failed(kNoAgent, wrong, fmt::format("its log is {}", log->path()));
}

// Two paths name one file, or are the same text.
bool is_same_file(const std::string& a, const std::string& b) {
    std::error_code ignored;
    return a == b || std::filesystem::equivalent(a, b, ignored);
}

Outcome<void> check_file(const AgentWish& wish, const char* what, const std::string& wanted,
                         const std::string& used) {
    if (is_same_file(wanted, used)) return {};
    return misused(fmt::format("the agent of domain {} runs with {} {}, not with {}", wish.domain, what,
                               used.empty() ? "none" : used, wanted),
                   fmt::format("leave --{} out, choose another --domain, or stop that agent first "
                               "(it ends by itself {} s after its last program)",
                               what, kIdleExitSeconds));
}

Outcome<void> check_files(const AgentWish& wish) {
    if (!wish.hosts_file && !wish.policy_file) return {};
    auto map = ask_agent(wish.domain, QueryKind::map);
    if (!map) return tl::unexpected(map.error());
    if (wish.hosts_file) {
        auto checked = check_file(wish, "hosts", *wish.hosts_file, text_at(*map, "file"));
        if (!checked) return checked;
    }
    if (!wish.policy_file) return {};
    return check_file(wish, "policy", *wish.policy_file, text_at(*map, "policy_file"));
}

}  // namespace

Outcome<void> ensure_agent(const AgentWish& wish) {
    auto client = AgentClient::open(wish.domain);
    if (!client && client.error().exit_code != kNoAgent) return tl::unexpected(client.error());
    if (!client) {
        if (auto started = start(wish); !started) return started;
    }
    return check_files(wish);
}

}  // namespace xylem::cli
