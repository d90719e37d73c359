// What happens to the process as a whole: start, fork, exec.
//   start  takes note of the process id, of XYLEM_DISABLE, of where the agent is and of who wants to know why
//          (run.hpp), and asks the agent about TCP and AF_VSOCK sockets that were inherited over exec
//   fork   before: the session is doubled, so the agent counts the child as a holder before the parent can
//          let go; child: takes the second session, and forgets whatever the parent sleeps on
//   end    by exit() or _exit() (call_exit.cpp): last words, and ends that perhaps no agent knows are closed
#include <pthread.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <cerrno>

#include "guest-lib/agent_door.hpp"
#include "guest-lib/bells.hpp"
#include "guest-lib/enabled.hpp"
#include "guest-lib/epoll_set.hpp"
#include "guest-lib/fd_table.hpp"
#include "guest-lib/inheritance.hpp"
#include "guest-lib/kept_end.hpp"
#include "guest-lib/last_words.hpp"
#include "guest-lib/run.hpp"
#include "guest-lib/session.hpp"
#include "guest-lib/socket.hpp"

// Nothing of this library is destroyed at exit: other threads, and the exit handlers of others, go on making
// calls until the process is gone, and the kernel and the agent clean up after that. So destructors of
// globals are never registered.
extern "C" __attribute__((visibility("hidden"))) int __cxa_atexit(void (*)(void*), void*, void*) { return 0; }

namespace xylem {
namespace {

constinit AtomicU32 enabled;
constinit AtomicU32 process_id;

std::uint32_t current_pid() { return static_cast<std::uint32_t>(system_call(SYS_getpid)); }

void before_fork() {
    show_ends_used_again();
    SignalsHeld::hold();
    kept_lock().lock();
    give_up_kept_ends();
    EpollSet::lock_all();
    Session::self().before_fork();
}

void after_fork_in_parent() {
    Session::self().after_fork_in_parent();
    EpollSet::unlock_all();
    kept_lock().unlock();
    SignalsHeld::let_go();
}

void after_fork_in_child() {
    process_id.store_release(current_pid());
    reset_bell_locks();
    forget_lost_areas();
    reset_socket_locks();
    forget_words_of_parent();
    forget_calls_of_parent();
    forget_parents_bells();
    Session::self().after_fork_in_child();
    restore_slabs();
    EpollSet::forget_parent_all();
    forget_kept_ends_of_parent();
    SignalsHeld::let_go();
}

__attribute__((constructor)) void start() {
    process_id.store_release(current_pid());
    const bool is_privileged = ::getauxval(AT_SECURE) != 0;
    if (is_privileged || ::getenv("XYLEM_DISABLE") != nullptr) return;
    note_agents_place();
    enabled.store_release(1);
    find_run();
    ::pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    const int saved_errno = errno;  // a program begins with 0
    take_in_all();
    errno = saved_errno;
}

__attribute__((destructor)) void end() { end_process(); }

}  // namespace

bool is_enabled() { return enabled.load_relaxed() != 0; }

void end_process() {
    say_last_words();
    if (is_own_process()) Session::self().close_unknown_ends();
}

bool is_own_process() { return process_id.load_relaxed() == current_pid(); }

}  // namespace xylem
