// Cases of signals in blocking calls: who restarts, and masks that hold for one call.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"  // siginterrupt is one way to install a handler
#include <pthread.h>

#include <atomic>

#include "epoll_calls.hpp"

namespace {

std::atomic<int> ran{0};

void count_signal(int) { ++ran; }

void install(int signal, int flags, void (*handler)(int) = count_signal) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigaction(signal, &action, nullptr);
}

// Sends this thread a signal once, some time after it has gone to sleep.
class Interrupted {
  public:
    explicit Interrupted(int signal, int after_ms = kQuietMs)
        : thread_([target = pthread_self(), signal, after_ms] {
              usleep(static_cast<unsigned>(after_ms) * 1000);
              pthread_kill(target, signal);
          }) {
        ran = 0;
    }
    ~Interrupted() { thread_.join(); }

  private:
    std::thread thread_;
};

void await_signal() {
    for (int left = 1000; ran == 0 && left > 0; --left) usleep(1000);
}

// The server sends after the client was interrupted, so a call that restarts ends as well.
void send_after_the_signal(Side& side, int fd) {
    side.meet();
    if (!side.server) return;
    usleep(4 * kQuietMs * 1000);
    send_bytes(side, fd, 10);
}

// Two handlers, one of which restarts: what counts is which one ran.
void the_handler_that_ran_decides(Side& side) {
    const int fd = side.connection();
    install(SIGUSR1, SA_RESTART);
    install(SIGUSR2, 0);
    for (int signal : {SIGUSR1, SIGUSR2, SIGUSR1, SIGUSR2}) {
        send_after_the_signal(side, fd);
        if (side.server) continue;
        Interrupted interrupted(signal);
        const ssize_t got = receive_bytes(side, fd, 10);
        side.line("ran %d", ran.load());
        if (got < 0) receive_bytes(side, fd, 10, MSG_WAITALL);
    }
    side.meet();
}

void writers_restart_as_well(Side& side) {
    const int fd = side.connection();
    install(SIGUSR1, SA_RESTART);
    install(SIGUSR2, 0);
    for (int signal : {SIGUSR2, SIGUSR1}) {
        if (side.server) {
            const std::uint64_t size = side.exchange(0);
            usleep(4 * kQuietMs * 1000);
            side.line("all came: %d",
                      drain(fd, size + (signal == SIGUSR1 ? 1 : 0)) == size + (signal == SIGUSR1 ? 1 : 0));
        } else {
            side.exchange(fill(fd));
            Interrupted interrupted(signal);
            send_bytes(side, fd, 1);
            await_signal();
            side.line("ran %d", ran.load());
        }
        side.meet();
    }
}

void waiting_for_readiness_never_restarts(Side& side) {
    const int fd = side.connection();
    const int inner = set_with(fd, EPOLLIN, 1);
    const int outer = set_with(inner, EPOLLIN, 1);
    for (int flags : {SA_RESTART, 0}) {
        install(SIGUSR1, flags);
        const auto interrupted = [&](const char* what, auto call) {
            Interrupted once(SIGUSR1);
            side.result(what, call());
        };
        fd_set in;
        FD_ZERO(&in);
        FD_SET(fd, &in);
        timeval left{kPatienceMs / 1000, 0};
        const timespec patience{kPatienceMs / 1000, 0};
        pollfd items[2] = {{fd, POLLIN, 0}, {inner, POLLIN, 0}};
        epoll_event event;
        interrupted("poll", [&] { return poll(items, 1, -1); });
        interrupted("poll of a set", [&] { return poll(items + 1, 1, -1); });
        interrupted("poll of both", [&] { return poll(items, 2, kPatienceMs); });
        interrupted("ppoll", [&] { return ppoll(items, 1, &patience, nullptr); });
        interrupted("select", [&] { return select(fd + 1, &in, nullptr, nullptr, &left); });
        side.line("time is left: %d, still in the set: %d", left.tv_sec > 0, FD_ISSET(fd, &in));
        interrupted("pselect", [&] { return pselect(fd + 1, &in, nullptr, nullptr, &patience, nullptr); });
        interrupted("epoll_wait", [&] { return epoll_wait(inner, &event, 1, -1); });
        interrupted("epoll_wait outside", [&] { return epoll_wait(outer, &event, 1, kPatienceMs); });
        interrupted("epoll_pwait2", [&] { return epoll_pwait2(inner, &event, 1, nullptr, nullptr); });
    }
    side.meet();
}

void accepting_restarts_or_not(Side& side) {
    install(SIGUSR1, SA_RESTART);
    install(SIGUSR2, 0);
    if (!side.server) {
        const std::uint64_t port = side.exchange(0);
        for (int i = 0; i < 2; ++i) {
            side.meet();
            usleep(4 * kQuietMs * 1000);
            side.connect_to(port);
        }
        side.meet();
        return;
    }
    const Listening listener = side.offered();
    for (int signal : {SIGUSR1, SIGUSR2}) {
        side.meet();
        Interrupted interrupted(signal);
        const int fd = accept(listener.fd, nullptr, nullptr);
        side.line("accepted %d, ran %d", fd >= 0, ran.load());
        if (fd < 0) side.line("%s", strerrorname_np(errno));
        if (fd < 0) side.must("accept", accept(listener.fd, nullptr, nullptr));
    }
    const timeval timeout{kPatienceMs / 1000, 0};
    setsockopt(listener.fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    {
        Interrupted interrupted(SIGUSR1);
        side.result("accept with a time-out", accept(listener.fd, nullptr, nullptr));
    }
    side.meet();
}

// Who asks for the installed handler gets his own; the ways to install one agree on what restarts.
void handlers_are_the_programs_own(Side& side) {
    const int fd = side.connection();
    const auto interrupt = [&](const char* what) {
        side.line("-- %s", what);
        send_after_the_signal(side, fd);
        if (side.server) return;
        Interrupted interrupted(SIGUSR1);
        if (receive_bytes(side, fd, 10) < 0) receive_bytes(side, fd, 10, MSG_WAITALL);
        side.line("ran %d", ran.load());
    };
    struct sigaction installed {};
    const auto show_installed = [&] {
        sigaction(SIGUSR1, nullptr, &installed);
        side.line("own handler %d, SA_RESTART %d, SA_SIGINFO %d", installed.sa_handler == count_signal,
                  (installed.sa_flags & SA_RESTART) != 0, (installed.sa_flags & SA_SIGINFO) != 0);
    };
    side.line("first %d", signal(SIGUSR1, count_signal) == SIG_DFL);
    show_installed();
    interrupt("signal");
    siginterrupt(SIGUSR1, 1);
    show_installed();
    interrupt("siginterrupt");
    side.line("was own %d", signal(SIGUSR1, count_signal) == count_signal);
    show_installed();
    siginterrupt(SIGUSR1, 0);
    show_installed();
    interrupt("no siginterrupt");
    install(SIGUSR1, SA_RESETHAND);
    show_installed();
    interrupt("once");
    sigaction(SIGUSR1, nullptr, &installed);
    side.line("default again %d", installed.sa_handler == SIG_DFL);
    side.line("was default %d", sysv_signal(SIGUSR1, count_signal) == SIG_DFL);
    show_installed();
    interrupt("sysv_signal");
    const struct sigaction before = installed;
    sigaction(SIGUSR1, &before, &installed);
    sigaction(SIGUSR1, &before, &installed);
    show_installed();
    signal(SIGUSR1, SIG_IGN);
    interrupt("ignored");
    side.meet();
}

void masks_hold_for_one_call(Side& side) {
    const int fd = side.connection();
    const int set = set_with(fd, EPOLLIN, 1);
    install(SIGUSR1, SA_RESTART);
    sigset_t none, usr1;
    sigemptyset(&none);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, nullptr);
    const timespec patience{kPatienceMs / 1000, 0}, now{0, 0};
    epoll_event event;
    const auto with_pending = [&](const char* what, auto call) {
        ran = 0;
        pthread_kill(pthread_self(), SIGUSR1);
        side.result(what, call());
        side.line("ran %d", ran.load());
        ran = 0;
        pthread_sigmask(SIG_UNBLOCK, &usr1, nullptr);
        pthread_sigmask(SIG_BLOCK, &usr1, nullptr);
        side.line("was still pending: %d", ran.load());
    };
    const auto try_all = [&] {
        pollfd item{fd, POLLIN, 0};
        fd_set in;
        const auto prepared = [&] {
            FD_ZERO(&in);
            FD_SET(fd, &in);
            return &in;
        };
        with_pending("ppoll", [&] { return ppoll(&item, 1, &patience, &none); });
        with_pending("ppoll without time", [&] { return ppoll(&item, 1, &now, &none); });
        with_pending("pselect",
                     [&] { return pselect(fd + 1, prepared(), nullptr, nullptr, &patience, &none); });
        with_pending("pselect without time",
                     [&] { return pselect(fd + 1, prepared(), nullptr, nullptr, &now, &none); });
        with_pending("epoll_pwait", [&] { return epoll_pwait(set, &event, 1, kPatienceMs, &none); });
        with_pending("epoll_pwait without time", [&] { return epoll_pwait(set, &event, 1, 0, &none); });
        with_pending("epoll_pwait2", [&] { return epoll_pwait2(set, &event, 1, &patience, &none); });
    };
    try_all();
    send_to_server(side, fd, 10, 10);
    if (side.server) try_all();
    pthread_sigmask(SIG_UNBLOCK, &usr1, nullptr);
    pollfd item{fd, POLLPRI, 0};
    {
        Interrupted interrupted(SIGUSR1);
        const timespec soon{0, 3 * kQuietMs * 1'000'000};
        side.result("ppoll that blocks it", ppoll(&item, 1, &soon, &usr1));
    }
    side.line("ran %d", ran.load());
    side.meet();
}

constexpr Case kCases[] = {
    {"the_handler_that_ran_decides", the_handler_that_ran_decides, true},
    {"writers_restart_as_well", writers_restart_as_well, true},
    {"waiting_for_readiness_never_restarts", waiting_for_readiness_never_restarts, true},
    {"accepting_restarts_or_not", accepting_restarts_or_not, true},
    {"handlers_are_the_programs_own", handlers_are_the_programs_own, true},
    {"masks_hold_for_one_call", masks_hold_for_one_call, true},
};

}  // namespace

int main(int argc, char** argv) { return run_cases(kCases, argc, argv); }
