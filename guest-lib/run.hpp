// Whether somebody wants to know which transport this process's sockets have: a run that `xylem run --why`
// watches (XYLEM_RUN), or whoever set XYLEM_WHY.
#pragma once

#include <cstdint>

#include "control/protocol/reason.hpp"

namespace xylem {

// Reads the environment; once, before the program can change it.
void find_run();

// The run that the agent counts this process for; 0 = none.
std::uint64_t run_id();
// XYLEM_WHY is set: the process says a line at its end.
bool is_asked_why();
bool is_watched();

// A program whose sockets the library cannot carry. The agent is told for the run, and standard error is
// where XYLEM_WHY is set. Waits for nobody; a vfork child may call it.
void report_bypass(Reason why, const char* program);

}  // namespace xylem
