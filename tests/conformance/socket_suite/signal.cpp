// Cases of signals and threads.
#include <pthread.h>

#include <atomic>

#include "epoll_calls.hpp"

namespace {

std::atomic<int> alarms{0};

void interrupt_after(int flags) {
    struct sigaction action {};
    action.sa_handler = [](int) { ++alarms; };
    action.sa_flags = flags;
    sigaction(SIGUSR1, &action, nullptr);
    alarms = 0;
}

// Signals this thread until it has been interrupted once, and a little more.
class Interruptions {
  public:
    Interruptions()
        : thread_([target = pthread_self(), this] {
              while (!stop_) {
                  usleep(20'000);
                  pthread_kill(target, SIGUSR1);
              }
          }) {}
    ~Interruptions() {
        stop_ = true;
        thread_.join();
    }

  private:
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

void signals_interrupt_sleeping_calls(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        side.meet();
        return;
    }
    interrupt_after(0);
    Interruptions interruptions;
    receive_bytes(side, fd, 10);
    pollfd item{fd, POLLIN, 0};
    side.result("poll", poll(&item, 1, -1));
    fd_set in;
    FD_ZERO(&in);
    FD_SET(fd, &in);
    side.result("select", select(fd + 1, &in, nullptr, nullptr, nullptr));
    const int set = epoll_create1(0);
    epoll_event event{};
    event.events = EPOLLIN;
    epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
    side.result("epoll_wait", epoll_wait(set, &event, 1, -1));
    fill(fd);
    send_bytes(side, fd, 10);
    side.line("signals came: %d", alarms > 0);
    side.meet();
}

void restarting_calls_go_on(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        usleep(150'000);
        send_bytes(side, fd, 10);
        usleep(100'000);
        send_bytes(side, fd, 10);
        side.meet();
        return;
    }
    interrupt_after(SA_RESTART);
    Interruptions interruptions;
    receive_bytes(side, fd, 10, MSG_WAITALL);
    const timeval timeout{kPatienceMs / 1000, 0};
    pollfd item{fd, POLLIN, 0};
    side.result("poll", poll(&item, 1, -1));
    receive_bytes(side, fd, 10, MSG_WAITALL);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    receive_bytes(side, fd, 10);
    side.line("signals came: %d", alarms > 0);
    side.meet();
}

void a_reader_and_a_writer_thread(Side& side) {
    const int fd = side.connection();
    constexpr std::size_t kSize = 16 << 20;
    std::size_t received = 0;
    std::thread reader([&] { received = drain(fd, kSize); });
    send_bytes(side, fd, kSize);
    reader.join();
    side.line("received %zu", received);
    side.meet();
}

void accept_is_interrupted(Side& side) {
    if (!side.server) {
        side.meet();
        return;
    }
    const Listening listener = side.listening();
    interrupt_after(0);
    {
        Interruptions interruptions;
        side.result("accept", accept(listener.fd, nullptr, nullptr));
    }
    side.meet();
}

std::atomic<int> doomed{-1};

// POSIX lets a handler close, whatever the call is that it interrupts.
void handlers_close_what_is_waited_for(Side& side) {
    constexpr int kRounds = 200;
    const int fd = side.connection();
    if (side.server) {
        const int set = set_with(fd, EPOLLOUT);  // which has always something to say
        struct sigaction action {};
        action.sa_handler = [](int) { close(doomed.exchange(-1)); };
        action.sa_flags = SA_RESTART;
        sigaction(SIGUSR2, &action, nullptr);
        std::atomic<bool> is_over{false};
        std::thread killer([target = pthread_self(), &is_over] {
            for (; !is_over; usleep(100)) {
                if (doomed >= 0) pthread_kill(target, SIGUSR2);
            }
        });
        int closed = 0;
        for (int round = 0; round < kRounds; ++round) {
            const Listening listener = side.listening();
            control(set, EPOLL_CTL_ADD, listener.fd, EPOLLIN, 2);
            doomed = listener.fd;
            epoll_event events[2];
            while (doomed >= 0) epoll_wait(set, events, 2, -1);
            closed += fcntl(listener.fd, F_GETFD) < 0 ? 1 : 0;
        }
        is_over = true;
        killer.join();
        side.line("closed: %d", closed == kRounds);
        show_wait(side, "the connection is left", set, 0);
    }
    side.meet();
}

constexpr Case kCases[] = {
    {"signals_interrupt_sleeping_calls", signals_interrupt_sleeping_calls, true},
    {"restarting_calls_go_on", restarting_calls_go_on, true},
    {"a_reader_and_a_writer_thread", a_reader_and_a_writer_thread},
    {"accept_is_interrupted", accept_is_interrupted, true},
    {"handlers_close_what_is_waited_for", handlers_close_what_is_waited_for, true},
};

}  // namespace

int main(int argc, char** argv) { return run_cases(kCases, argc, argv); }
