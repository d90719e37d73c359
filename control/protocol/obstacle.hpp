// What keeps the guest library from carrying the sockets of a program, as its file says.
#pragma once

#include "control/protocol/reason.hpp"

namespace xylem {

// none: nothing does, or the file cannot be read. Else static_program, go_program, privileged_program or
// other_machine. Looks through up to four #! lines at the program that really runs.
// Makes system calls only, so that a vfork child may ask as well.
Reason obstacle_in(const char* path);

}  // namespace xylem
