// WatchedRun: as little between the command and whoever started it as can be. Signals that are sent to this
// process are handed on; those that a terminal sends, the command gets from the terminal. The agent keeps
// the run's sums as long as this process's session is there, and does not end meanwhile.
//
// While it waits, it looks through /proc now and then for programs of the run that have sockets past the
// library (bystanders.hpp). When the command is over but programs that it left behind go on, it waits for
// those too, says so, and any signal ends that.
#include "control/cli/watched_run.hpp"

#include <errno.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "control/cli/bystanders.hpp"
#include "control/cli/run_summary.hpp"
#include "vsock-transport/base/clock.hpp"

namespace xylem::cli {
namespace {

constexpr std::uint64_t kFirstLookNs = 100 * kNsPerMs;
constexpr std::uint64_t kSeldomNs = kNsPerSecond;
constexpr std::uint64_t kPatienceNs =
    kNsPerSecond;  // with what goes on or may begin, before a word or the end
constexpr int kHandedOn[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH};

// Blocks the signals that are waited for here, as long as it lives. What was ignored before (nohup) stays so.
class Signals {
  public:
    Signals() {
        ::signal(SIGCHLD, SIG_DFL);  // ignored, it would take the command's status with it
        ::sigemptyset(&set_);
        ::sigaddset(&set_, SIGCHLD);
        for (const int signal : kHandedOn) {
            struct sigaction action {};
            const bool is_ignored =
                ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
            if (!is_ignored) ::sigaddset(&set_, signal);
        }
        ::sigprocmask(SIG_BLOCK, &set_, &before_);
    }
    ~Signals() { restore(); }
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    void restore() const { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
    // The next signal; si_signo 0 if none came in time.
    siginfo_t wait(std::uint64_t timeout_ns) const {
        const timespec timeout = to_timespec(timeout_ns);
        siginfo_t info{};
        if (::sigtimedwait(&set_, &info, &timeout) < 0) info.si_signo = 0;
        return info;
    }

  private:
    sigset_t set_{};
    sigset_t before_{};
};

bool is_from_a_process(const siginfo_t& info) { return info.si_code <= 0; }

// The command's wait status.
int wait_for_command(pid_t child, const Signals& signals, Bystanders& bystanders) {
    std::uint64_t pause_ns = kFirstLookNs;
    for (;;) {
        const siginfo_t info = signals.wait(pause_ns);
        int status = 0;
        if (::waitpid(child, &status, WNOHANG) == child) return status;
        if (info.si_signo == 0) {
            bystanders.look();
            pause_ns = std::min(pause_ns * 2, kSeldomNs);
        } else if (info.si_signo != SIGCHLD && is_from_a_process(info)) {
            ::kill(child, info.si_signo);
        }
    }
}

void say_that_others_go_on(std::uint64_t count) {
    fmt::print(stderr, "xylem: the command has ended, {} on; interrupt to see the sums now\n",
               count == 1 ? "1 program of its run goes" : fmt::format("{} programs of its run go", count));
}

// The run's report once nothing of the run goes on, or a signal came. What the run's last programs said may
// still be on its way: it is there before the second question, unless somebody has only just dialled. A
// process that the command left behind may not have begun yet with what it was started for: it gets a while.
Outcome<Json> wait_for_others(AgentRun& run, const Signals& signals, Bystanders& bystanders) {
    const std::uint64_t word_at_ns = deadline_after(kPatienceNs);
    bool has_said = false;
    for (unsigned questions = 1;; ++questions) {
        const bool may_begin = bystanders.look();
        auto report = run.sums();
        if (!report) return report;
        const std::uint64_t going_on = number_at(*report, "going_on").value_or(0);
        const bool is_late = now_ns() >= word_at_ns;
        const bool may_speak = may_begin || number_at(*report, "greeting").value_or(0) != 0;
        const bool is_settled = questions > 1 && (!may_speak || is_late);
        if (going_on == 0 && is_settled) return report;
        if (going_on != 0 && is_late && !std::exchange(has_said, true)) say_that_others_go_on(going_on);
        const int signal = signals.wait(has_said ? kSeldomNs / 4 : kFirstLookNs / 10).si_signo;
        if (signal != 0 && signal != SIGCHLD && signal != SIGWINCH) return run.sums();
    }
}

// Ends as the command did, without a second core file.
int end_as(int status) {
    if (!WIFSIGNALED(status)) return WEXITSTATUS(status);
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    ::signal(WTERMSIG(status), SIG_DFL);
    ::raise(WTERMSIG(status));
    return 128 + WTERMSIG(status);
}

}  // namespace

Outcome<WatchedRun> WatchedRun::open(std::uint32_t domain) {
    auto opened = AgentRun::open(domain);
    if (!opened) return tl::unexpected(opened.error());
    return WatchedRun(std::move(*opened));
}

Outcome<int> WatchedRun::run(const std::string& program, Reason obstacle,
                             const std::function<tl::unexpected<Failure>()>& become) {
    Bystanders bystanders(run_.name());
    if (obstacle != Reason::none) bystanders.add(obstacle, program);
    int status = 0;
    {
        const Signals signals;
        const pid_t child = ::fork();
        if (child < 0) return failed(kFailed, fmt::format("fork: {}", ::strerror(errno)));
        if (child == 0) {
            signals.restore();
            ::_exit(report(become().value()));
        }
        status = wait_for_command(child, signals, bystanders);
        auto sums = wait_for_others(run_, signals, bystanders);
        if (sums) {
            bystanders.add_to(*sums);
            fmt::print(stderr, "{}", summary_text(*sums, colours_on(stderr)));
        } else {
            cli::report(sums.error());
            fmt::print(stderr, "xylem: so nobody knows which transports the run's connections had\n");
        }
    }
    return end_as(status);
}

}  // namespace xylem::cli
