// A program that this process is about to become or to spawn: whether its sockets can be carried.
#pragma once

namespace xylem {

// Nothing where nobody wants to know (run.hpp). `name` is a path, or with is_searched a name that execvp
// would look for in PATH; variables is the environment that the program gets. Does not allocate, keeps errno,
// and may be called by a vfork child.
void note_program(const char* name, bool is_searched, char* const* variables);

}  // namespace xylem
