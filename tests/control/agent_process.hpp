// Real agents in processes of their own, in a runtime directory that lives as long as one test.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <string>

#include "control/agent/daemon.hpp"
#include "control/protocol/runtime_paths.hpp"
#include "control/protocol/seqpacket.hpp"
#include "tests/support/scratch_directory.hpp"
#include "vsock-transport/base/clock.hpp"

namespace xylem::agent_test {

// Only a broken agent takes this long.
inline constexpr std::uint64_t kPatienceNs = 20 * kNsPerSecond;

// Looks again and again until it is so.
template <class Condition>
bool eventually(Condition condition) {
    const std::uint64_t deadline_ns = deadline_after(kPatienceNs);
    while (!condition()) {
        if (now_ns() > deadline_ns) return false;
        ::usleep(2000);
    }
    return true;
}

class RuntimeScratch {
  public:
    RuntimeScratch() {
        ::setenv("XYLEM_RUNTIME_DIR", path("run").c_str(), 1);
        ::unsetenv("XYLEM_FABRIC_DIR");
    }
    ~RuntimeScratch() { ::unsetenv("XYLEM_RUNTIME_DIR"); }
    RuntimeScratch(const RuntimeScratch&) = delete;
    RuntimeScratch& operator=(const RuntimeScratch&) = delete;

    std::string path(std::string_view name) const { return directory_.path(name); }
    // The path of what was written. It is renamed into place: an agent may look at any time.
    std::string write(std::string_view name, std::string_view text) const {
        return directory_.replace(name, text);
    }

  private:
    ScratchDirectory directory_;
};

class AgentProcess {
  public:
    // change: the options; in_child: what else to do in the agent's process, before it begins.
    explicit AgentProcess(std::uint32_t domain, const std::function<void(agent::Options&)>& change = {},
                          const std::function<void()>& in_child = {}) {
        agent::Options options;
        options.settings.domain = domain;
        options.settings.hosts_file = "/nonexistent/xylem/hosts";
        options.settings.policy_file = "/nonexistent/xylem/policy";
        options.settings.log_level = ::getenv("XYLEM_TEST_LOG") != nullptr ? "debug" : "off";
        if (change) change(options);
        domain_ = options.settings.domain;
        pid_ = ::fork();
        if (pid_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (in_child) in_child();
            ::_exit(agent::run_daemon(options));
        }
    }
    ~AgentProcess() {
        if (pid_ > 0) kill();
    }
    AgentProcess(const AgentProcess&) = delete;
    AgentProcess& operator=(const AgentProcess&) = delete;

    // Whether the agent came up.
    bool is_serving() const {
        return eventually([this] { return has_ended() || dial(agent_socket(domain_).text).has_value(); }) &&
               !has_ended();
    }
    bool has_ended() const {
        siginfo_t info{};
        return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
               info.si_pid == pid_;
    }
    // Waits for its end; the exit code, or -signal.
    int wait() {
        int status = 0;
        ::waitpid(std::exchange(pid_, -1), &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }
    int stop() {
        ::kill(pid_, SIGTERM);
        return wait();
    }
    void kill() {
        ::kill(pid_, SIGKILL);
        wait();
    }
    pid_t pid() const { return pid_; }

  private:
    std::uint32_t domain_ = 0;
    pid_t pid_ = -1;
};

}  // namespace xylem::agent_test
