// What happens to the process as a whole: start, fork, exec.
//   start  takes note of the process id and of XYLEM_DISABLE, and asks the agent about TCP and AF_VSOCK
//          sockets that were inherited over exec
//   fork   before: the session is doubled, so the agent counts the child as a holder before the parent can
//          let go; child: takes the second session, and forgets whatever the parent sleeps on
#include <dirent.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "guest-lib/bells.hpp"
#include "guest-lib/enabled.hpp"
#include "guest-lib/epoll_set.hpp"
#include "guest-lib/real_libc.hpp"
#include "guest-lib/session.hpp"
#include "guest-lib/socket.hpp"
#include "guest-lib/vsock_fd.hpp"

// Nothing of this library is destroyed at exit: other threads, and the exit handlers of others, go on making
// calls until the process is gone, and the kernel and the agent clean up after that. So destructors of
// globals are never registered.
extern "C" __attribute__((visibility("hidden"))) int __cxa_atexit(void (*)(void*), void*, void*) { return 0; }

namespace xylem {
namespace {

constinit AtomicU32 enabled;
constinit AtomicU32 process_id;

std::uint32_t current_pid() { return static_cast<std::uint32_t>(system_call(SYS_getpid)); }

int option_of(int fd, int name) {
    int value = -1;
    socklen_t length = sizeof value;
    return real().getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0 ? value : -1;
}

// Whether fd is one more descriptor of a socket that was found under another number.
bool enter_copy(int fd) {
    std::uint64_t cookie = 0;
    socklen_t length = sizeof cookie;
    if (real().getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) != 0) return false;
    for (int other = next_entry(0, ~0U); other >= 0;
         other = next_entry(static_cast<unsigned>(other) + 1, ~0U)) {
        const Ref<Socket> socket = find<Socket>(other);
        if (socket && socket->cookie == cookie) return enter(fd, socket.get());
    }
    return false;
}

// What the agent does not know is some datagram socket of the program.
void adopt_stand_in(int fd) {
    Socket* socket = Socket::adopt_fd(fd, AF_VSOCK);
    if (socket == nullptr) return;
    socket->vsock.is_stand_in = true;
    socket->ask_about_inheritance(fd);
    if (socket->state() == SocketState::fresh && socket->vsock.bound.family == 0) leave(fd);
}

void adopt_inherited(int fd) {
    const int family = option_of(fd, SO_DOMAIN);
    if (family == AF_UNIX && may_be_stand_in(fd)) {
        if (!enter_copy(fd)) adopt_stand_in(fd);
        return;
    }
    const bool is_known = family == AF_INET || family == AF_INET6 || family == AF_VSOCK;
    if (!is_known || option_of(fd, SO_TYPE) != SOCK_STREAM) return;
    if (enter_copy(fd)) return;
    Socket* socket = Socket::adopt_fd(fd, family);
    if (socket != nullptr) socket->ask_about_inheritance(fd);
}

void adopt_all_inherited() {
    DIR* directory = ::opendir("/proc/self/fd");
    if (directory == nullptr) return;
    while (const dirent* entry = ::readdir(directory)) {
        const int fd = entry->d_name[0] >= '0' && entry->d_name[0] <= '9' ? ::atoi(entry->d_name) : -1;
        if (fd >= 0 && fd != ::dirfd(directory)) adopt_inherited(fd);
    }
    ::closedir(directory);
}

void before_fork() {
    EpollSet::lock_all();
    Session::self().before_fork();
}

void after_fork_in_parent() {
    Session::self().after_fork_in_parent();
    EpollSet::unlock_all();
}

void after_fork_in_child() {
    process_id.store_release(current_pid());
    reset_bell_locks();
    reset_socket_locks();
    forget_parents_bells();
    Session::self().after_fork_in_child();
    EpollSet::forget_parent_all();
}

__attribute__((constructor)) void start() {
    process_id.store_release(current_pid());
    const bool is_privileged = ::getauxval(AT_SECURE) != 0;
    if (is_privileged || ::getenv("XYLEM_DISABLE") != nullptr) return;
    enabled.store_release(1);
    ::pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    adopt_all_inherited();
}

}  // namespace

bool is_enabled() { return enabled.load_relaxed() != 0; }

bool is_own_process() { return process_id.load_relaxed() == current_pid(); }

}  // namespace xylem
