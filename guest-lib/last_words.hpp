// What a process says of its transports on standard error where XYLEM_WHY is set: one line at its end, and
// one for each program that it starts and that the library cannot carry.
#pragma once

#include "control/protocol/reason.hpp"
#include "vsock-transport/stream/stream.hpp"

namespace xylem {

// Where the lines go is where standard error led to when the program began. A program that closed it, made
// it something else, or has a TCP socket there (inetd) hears nothing.
void remember_standard_error();

// The bytes of an end that this process, as its last holder, is about to close.
void count_bytes(const Stream& stream);

void say_last_words();
void say_bypass(Reason why, const char* program);
// A fork child's own count begins.
void forget_words_of_parent();

}  // namespace xylem
