// The descriptor of an AF_VSOCK stream socket: the kernel's own if this kernel has AF_VSOCK, else a stand-in.
#pragma once

namespace xylem {

// type as for socket(2), flags included. libc semantics; is_stand_in says which kind it became.
int make_vsock_fd(int type, int protocol, bool& is_stand_in);

// Whether a descriptor that came from elsewhere is one that some process made to stand in.
bool is_stand_in_fd(int fd);

}  // namespace xylem
