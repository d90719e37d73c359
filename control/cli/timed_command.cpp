// TimedCommand: one poll over the command's pidfd, its output and the signals that stop us. The clock stops
// when the pidfd says that it is over; reading what it printed comes after that. It has a process group of
// its own, so that a shell and what the shell started end together.
#include "control/cli/timed_command.hpp"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "vsock-transport/base/clock.hpp"

namespace xylem::cli {
namespace {

constexpr std::size_t kChunkBytes = 16384;
constexpr std::uint64_t kGraceNs = 2 * kNsPerSecond;
constexpr std::uint64_t kFirstPauseNs = 100 * kNsPerMs;
constexpr std::uint64_t kLongestPauseNs = kNsPerSecond;
constexpr std::uint64_t kGroupPauseNs = 10 * kNsPerMs;  // no descriptor says when a group is gone

// Stopping this process would not stop the command, whose time would go on.
class NoTerminalStop {
  public:
    NoTerminalStop() {
        struct sigaction ignore {};
        ignore.sa_handler = SIG_IGN;
        ::sigaction(SIGTSTP, &ignore, &before_);
    }
    ~NoTerminalStop() { restore(); }
    NoTerminalStop(const NoTerminalStop&) = delete;
    NoTerminalStop& operator=(const NoTerminalStop&) = delete;

    // For a child before it becomes another program.
    void restore() const { ::sigaction(SIGTSTP, &before_, nullptr); }

  private:
    struct sigaction before_ {};
};

class Watch {
  public:
    Watch(const TimedCommand& command, const StopSignals& signals, CommandOutput& output)
        : command_(command), signals_(signals), output_(output), ends_at_ns_(command.deadline_ns) {}

    Outcome<TimedEnd> start_and_wait() {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) return failed(kFailed, fmt::format("pipe: {}", ::strerror(errno)));
        pipe_.reset(ends[0]);
        UniqueFd theirs(ends[1]);
        ::fcntl(pipe_.get(), F_SETFL, O_NONBLOCK);
        const std::uint64_t begin_ns = now_ns();
        child_ = ::fork();
        if (child_ < 0) return failed(kFailed, fmt::format("fork: {}", ::strerror(errno)));
        if (child_ == 0) be_child(theirs.get());
        theirs.reset();
        ::setpgid(child_, child_);
        const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, child_, 0)));
        if (!process) return failed(kFailed, fmt::format("pidfd_open: {}", ::strerror(errno)));
        while (!has_ended(process.get())) continue;
        end_.wall_ns = now_ns() - begin_ns;
        ::waitpid(child_, &end_.status, 0);
        if (end_.was_ended()) end_rest_of_group();
        read_rest();
        output_.finish();
        return end_;
    }

  private:
    [[noreturn]] void be_child(int output) const {
        ::setpgid(0, 0);
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        ::dup2(nothing, STDIN_FILENO);
        ::dup2(output, STDOUT_FILENO);
        ::dup2(output, STDERR_FILENO);
        no_stop_.restore();
        signals_.restore();
        ::_exit(command_.become());
    }

    bool has_ended(int process) {
        pollfd items[] = {{process, POLLIN, 0}, {signals_.fd(), POLLIN, 0}, {pipe_.get(), POLLIN, 0}};
        const std::uint64_t now = now_ns();
        const std::uint64_t left_ns = ends_at_ns_ > now ? ends_at_ns_ - now : 0;
        const timespec timeout = to_timespec(std::min(left_ns, pause_ns_));
        const int ready = ::ppoll(items, 3, &timeout, nullptr);
        if (ready < 0) return false;
        if (items[0].revents != 0) return true;
        if (items[1].revents != 0) stop(signals_.take());
        if (items[2].revents != 0 && !read_output()) pipe_.reset();
        if (now_ns() >= ends_at_ns_) be_late();
        if (ready == 0 && command_.look) {
            command_.look();
            pause_ns_ = std::min(pause_ns_ * 2, kLongestPauseNs);
        }
        return false;
    }

    void stop(int signal) {
        if (signal == 0) return;
        end_group(end_.stop_signal == 0 ? signal : SIGKILL);
        end_.stop_signal = signal;
    }

    void be_late() {
        end_group(end_.was_ended() ? SIGKILL : SIGTERM);
        end_.is_late = end_.stop_signal == 0;
    }

    void end_group(int signal) {
        ::kill(-child_, signal);
        ends_at_ns_ = deadline_after(kGraceNs);
    }

    // The command is gone, but what it started may ignore the signal, as helpers of a shell do with SIGINT.
    // As long as there is such, the number stays the group's.
    void end_rest_of_group() {
        while (::kill(-child_, 0) == 0) {
            pollfd items[] = {{signals_.fd(), POLLIN, 0}, {pipe_.get(), POLLIN, 0}};
            const timespec pause = to_timespec(kGroupPauseNs);
            ::ppoll(items, 2, &pause, nullptr);
            if (items[1].revents != 0 && !read_output()) pipe_.reset();
            const int signal = items[0].revents != 0 ? signals_.take() : 0;
            if (signal != 0) end_.stop_signal = signal;
            if (signal == 0 && now_ns() < ends_at_ns_) continue;
            ::kill(-child_, SIGKILL);
            return;
        }
    }

    // What the command printed is there by now; what it has left behind may print without end.
    void read_rest() {
        int left = 0;
        if (!pipe_ || ::ioctl(pipe_.get(), FIONREAD, &left) != 0) return;
        for (int got = 0; got < left && read_output(); got += static_cast<int>(kChunkBytes)) continue;
    }

    // False at its end, and where there is none for now if the command is over.
    bool read_output() {
        if (!pipe_) return false;
        char chunk[kChunkBytes];
        const ssize_t got = ::read(pipe_.get(), chunk, sizeof chunk);
        if (got <= 0) return false;
        output_.add({chunk, static_cast<std::size_t>(got)});
        if (command_.shows_output) std::fwrite(chunk, 1, static_cast<std::size_t>(got), stderr);
        return true;
    }

    const TimedCommand& command_;
    const StopSignals& signals_;
    CommandOutput& output_;
    std::uint64_t ends_at_ns_;
    std::uint64_t pause_ns_ = kFirstPauseNs;
    NoTerminalStop no_stop_;
    UniqueFd pipe_;
    pid_t child_ = -1;
    TimedEnd end_;
};

}  // namespace

Outcome<TimedEnd> TimedCommand::run(const StopSignals& signals, CommandOutput& output) const {
    return Watch(*this, signals, output).start_and_wait();
}

}  // namespace xylem::cli
