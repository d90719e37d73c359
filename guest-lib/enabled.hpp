// Whether this process takes part. Not if XYLEM_DISABLE is set, and not in a program that runs with more
// rights than its caller (setuid, file capabilities): such programs are not ours to touch.
#pragma once

namespace xylem {

bool is_enabled();

// Whether the caller is the process that the library's state belongs to. A vfork child shares its parent's
// memory, tables included, but its closes and dups are its own: they must leave no trace there.
bool is_own_process();

// What is due when the process ends by exit() or _exit(): last words, and ends that no agent may know.
void end_process();

}  // namespace xylem
