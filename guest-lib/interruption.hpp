// Whether an interrupted call goes on after the signal's handler returned (signal(7), SA_RESTART).
#pragma once

namespace xylem {

// The kernel decides by the handler that ran, which a sleeping thread cannot learn; so this looks at all
// installed handlers: only if every one of them asks for restarting does the call restart. A program that
// installed some without SA_RESTART expects EINTR from those, and must handle it.
bool restarts_after_signal();

}  // namespace xylem
