// Sockets that others sent, to be written to.
#pragma once

namespace xylem {

// What a kick can be sent to, and an accept queue be, without a wait for whoever else has it.
bool is_unix_datagram(int fd);

}  // namespace xylem
