// A command as a child whose time is taken.
#pragma once

#include <cstdint>
#include <functional>

#include "control/cli/command_output.hpp"
#include "control/cli/failure.hpp"
#include "control/cli/stop_signals.hpp"

namespace xylem::cli {

struct TimedEnd {
    int status = 0;  // as waitpid(2) gives it
    std::uint64_t wall_ns = 0;
    int stop_signal = 0;   // not 0: this process was to stop, and ended the command
    bool is_late = false;  // the deadline came first, and ended the command

    bool was_ended() const { return stop_signal != 0 || is_late; }
};

struct TimedCommand {
    std::function<int()> become;  // in the child; returns an exit code if it could not
    std::function<void()> look;   // now and then while it runs; may be empty
    bool shows_output = false;    // on standard error, too
    std::uint64_t deadline_ns = ~0ULL;

    // The command's standard input is empty, what it prints goes to `output`. Waits for the command, not for
    // what it leaves behind. Ending it means its whole process group: SIGTERM or the signal that came, and
    // after two seconds, or with the next signal, SIGKILL.
    Outcome<TimedEnd> run(const StopSignals& signals, CommandOutput& output) const;
};

}  // namespace xylem::cli
