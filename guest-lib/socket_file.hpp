// Standard I/O on sockets of ours.
#pragma once

#include <stdio.h>

namespace xylem {

// A FILE whose reading, writing and closing come to our calls. Null and errno as fdopen(3) says.
FILE* open_socket_file(int fd, const char* mode);

// Before freopen(3) of a FILE that may be such a one.
void add_wide_part(FILE& file);

// Descriptor 0, 1 or 2 now names a socket: stdin, stdout or stderr becomes such a FILE.
void follow_standard_stream(int fd);

}  // namespace xylem
