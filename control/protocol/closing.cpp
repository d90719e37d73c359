// Closers: one more is started whenever all that there are are at work.
#include "control/protocol/closing.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

namespace xylem {
namespace {

constexpr unsigned kMostWaiting = 4096;

pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t has_more = PTHREAD_COND_INITIALIZER;
int waiting[kMostWaiting];
unsigned waiting_count = 0;
unsigned closers = 0;
unsigned idle_closers = 0;

void* close_on_and_on(void*) {
    ::pthread_mutex_lock(&lock);
    for (;;) {
        ++idle_closers;
        while (waiting_count == 0) ::pthread_cond_wait(&has_more, &lock);
        --idle_closers;
        UniqueFd fd(waiting[--waiting_count]);
        ::pthread_mutex_unlock(&lock);
        fd.reset();
        ::pthread_mutex_lock(&lock);
    }
}

// In a fork child: they are threads of the parent.
void forget_closers() {
    lock = PTHREAD_MUTEX_INITIALIZER;
    has_more = PTHREAD_COND_INITIALIZER;
    waiting_count = closers = idle_closers = 0;
}

// The signals are the event loop's.
bool start_closer() {
    if (closers == 0) ::pthread_atfork(nullptr, nullptr, forget_closers);
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread{};
    const bool is_started = ::pthread_create(&thread, nullptr, close_on_and_on, nullptr) == 0;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (is_started) ::pthread_detach(thread);
    return is_started;
}

bool is_memfd(int fd) { return ::fcntl(fd, F_GET_SEALS) >= 0; }

bool is_socket_that_does_not_linger(int fd) {
    linger how{};
    socklen_t length = sizeof how;
    return ::getsockopt(fd, SOL_SOCKET, SO_LINGER, &how, &length) == 0 && how.l_onoff == 0;
}

}  // namespace

void close_beside(UniqueFd fd) {
    if (!fd || is_memfd(fd.get())) return;
    ::pthread_mutex_lock(&lock);
    if (waiting_count >= idle_closers && closers < kMostClosers && start_closer()) ++closers;
    const bool is_taken = closers > 0 && waiting_count < kMostWaiting;
    if (is_taken) waiting[waiting_count++] = fd.release();
    ::pthread_cond_signal(&has_more);
    ::pthread_mutex_unlock(&lock);
}

void hang_up_beside(UniqueFd socket) {
    if (socket) ::shutdown(socket.get(), SHUT_RDWR);
    close_beside(std::move(socket));
}

void close_rest_beside(Received& message) {
    for (UniqueFd& fd : message.fds) close_beside(std::move(fd));
    for (unsigned i = 0; i < message.surplus_count; ++i) close_beside(std::move(message.surplus[i]));
}

void close_rest_of_program(Received& message) {
    for (UniqueFd& fd : message.fds) {
        if (fd && is_socket_that_does_not_linger(fd.get())) fd.reset();
    }
    close_rest_beside(message);
}

}  // namespace xylem
