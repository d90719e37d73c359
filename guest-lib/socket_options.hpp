// getsockopt, setsockopt, fcntl and ioctl on sockets of ours: what the stream must know or alone can tell.
// Everything else is the kernel socket's business. libc semantics.
#pragma once

#include <sys/socket.h>

namespace xylem {

struct Socket;

int get_option(Socket& socket, int fd, int level, int name, void* value, socklen_t* length);
// Of AF_VSOCK sockets: level AF_VSOCK, and what the descriptor cannot know.
int get_vsock_option(Socket& socket, int fd, int level, int name, void* value, socklen_t* length);
// The cid that IOCTL_VM_SOCKETS_GET_LOCAL_CID tells: the domain's, where it has an agent.
int get_local_cid(int fd, unsigned long request, void* value);
// The errno for an option that no socket may have which is, or becomes, a ring's; 0: the kernel's to judge.
int refuse_option(const Socket& socket, int level, int name);
// After the kernel took the option: keeps the copies that the stream uses.
void note_option(Socket& socket, int level, int name, const void* value, socklen_t length);

// To an accepted socket, those that the program has set of its listener.
void inherit_options(Socket& accepted, int fd, const Socket& listener, int listener_fd);

// O_NONBLOCK as the program set it; a listener's: listener_flags.hpp.
void set_nonblocking(Socket& socket, bool nonblocking);

// FIONREAD and SIOCOUTQ of a ring socket. False: the kernel's.
bool get_queue_size(Socket& socket, unsigned long request, int* value);

}  // namespace xylem
