// Commands of a shell, and what is left of them.
#include "control/cli/timed_command.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

#include "vsock-transport/base/clock.hpp"

namespace xylem::cli {
namespace {

constexpr int kWaitMs = 60'000;  // generous: machines that test are busy

// Held by every process that the command started; the other end tells when the last one is gone.
class Lifeline {
  public:
    Lifeline() {
        int ends[2];
        EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
        ours_.reset(ends[0]);
        theirs_.reset(ends[1]);
    }
    void hold() const { ::fcntl(theirs_.get(), F_SETFD, 0); }
    bool are_all_gone() {
        theirs_.reset();
        pollfd item{ours_.get(), POLLIN, 0};
        return ::poll(&item, 1, kWaitMs) == 1;
    }

  private:
    UniqueFd ours_;
    UniqueFd theirs_;
};

TimedCommand shell(const char* script, const Lifeline& lifeline) {
    TimedCommand command;
    command.become = [script, &lifeline] {
        lifeline.hold();
        return ::execl("/bin/sh", "sh", "-c", script, nullptr);
    };
    return command;
}

TEST(TimedCommand, one_that_leaves_a_chatterbox_behind_is_over_all_the_same) {
    Lifeline lifeline;
    CommandOutput output;
    const auto end = shell("yes & echo word", lifeline).run(StopSignals(), output);
    ASSERT_TRUE(end);
    EXPECT_EQ(end->status, 0);
    EXPECT_TRUE(lifeline.are_all_gone()) << "nobody reads it any more";
}

TEST(TimedCommand, a_command_that_ends_has_its_status_and_its_output) {
    Lifeline lifeline;
    CommandOutput output;
    const auto end = shell("echo word; exit 7", lifeline).run(StopSignals(), output);
    ASSERT_TRUE(end);
    EXPECT_EQ(WEXITSTATUS(end->status), 7);
    EXPECT_FALSE(end->was_ended());
    ASSERT_EQ(output.last_lines().size(), 1U);
    EXPECT_EQ(output.last_lines()[0], "word");
}

TEST(TimedCommand, what_a_late_command_left_in_its_group_ends_though_it_ignores_the_signal) {
    Lifeline lifeline;
    CommandOutput output;
    TimedCommand command = shell("(trap '' TERM; exec sleep 1000) & sleep 1000", lifeline);
    command.deadline_ns = deadline_after(kNsPerSecond);
    const auto end = command.run(StopSignals(), output);
    ASSERT_TRUE(end);
    EXPECT_TRUE(end->is_late);
    EXPECT_EQ(WTERMSIG(end->status), SIGTERM);
    EXPECT_TRUE(lifeline.are_all_gone());
}

TEST(TimedCommand, what_a_stopped_command_left_in_its_group_ends_as_well) {
    Lifeline lifeline;
    CommandOutput output;
    ::signal(SIGINT, SIG_DFL);  // jobs of a shell without job control begin with it ignored
    const StopSignals signals;
    TimedCommand command = shell("sleep 1000 & sleep 1000", lifeline);  // the first one ignores SIGINT
    command.look = [is_sent = false]() mutable {
        if (!std::exchange(is_sent, true)) ::raise(SIGINT);
    };
    const auto end = command.run(signals, output);
    ASSERT_TRUE(end);
    EXPECT_EQ(end->stop_signal, SIGINT);
    EXPECT_TRUE(lifeline.are_all_gone());
}

TEST(TimedCommand, what_a_command_left_when_it_ended_by_itself_goes_on) {
    Lifeline lifeline;
    CommandOutput output;
    const auto end = shell("sleep 1000 >/dev/null 2>&1 & echo $!", lifeline).run(StopSignals(), output);
    ASSERT_TRUE(end);
    ASSERT_EQ(output.last_lines().size(), 1U);
    const pid_t left = std::stoi(output.last_lines()[0]);
    EXPECT_EQ(::kill(left, 0), 0);
    ::kill(left, SIGKILL);
    EXPECT_TRUE(lifeline.are_all_gone());
}

}  // namespace
}  // namespace xylem::cli
