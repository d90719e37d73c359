// Cases of signals and threads.
#include <pthread.h>

#include <atomic>

#include "calls.hpp"

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

constexpr Case kCases[] = {
    {"signals_interrupt_sleeping_calls", signals_interrupt_sleeping_calls, true},
    {"restarting_calls_go_on", restarting_calls_go_on, true},
    {"a_reader_and_a_writer_thread", a_reader_and_a_writer_thread},
    {"accept_is_interrupted", accept_is_interrupted, true},
};

}  // namespace

int main(int argc, char** argv) { return run_cases(kCases, argc, argv); }
