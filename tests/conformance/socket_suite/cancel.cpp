// Cases of cancelled threads: in which calls it ends them, and what they leave behind.
#include <pthread.h>

#include <atomic>

#include "epoll_calls.hpp"

namespace {

constexpr int kUntilAsleepUs = 50'000;

// Cancels a thread that sleeps in `call`, and shows that it ended so.
template <class Call>
void cancel(Side& side, const char* name, Call call) {
    struct Context {
        Call call;
        std::atomic<bool> returned{false};
    } context{call};
    pthread_t thread;
    const auto body = [](void* argument) -> void* {
        auto* own = static_cast<Context*>(argument);
        own->call();
        own->returned = true;
        return nullptr;
    };
    pthread_create(&thread, nullptr, body, &context);
    usleep(kUntilAsleepUs);
    pthread_cancel(thread);
    void* result = nullptr;
    pthread_join(thread, &result);
    side.line("%s: cancelled %d, returned %d", name, result == PTHREAD_CANCELED, context.returned.load());
}

void cancelled_threads(Side& side) {
    const int fd = side.connection();
    char byte;
    pollfd item{fd, POLLIN, 0};
    if (side.server) {
        cancel(side, "recv", [&] { return recv(fd, &byte, 1, 0); });
        cancel(side, "read", [&] { return read(fd, &byte, 1); });
        cancel(side, "poll", [&] { return poll(&item, 1, -1); });
        cancel(side, "select", [&] {
            fd_set in;
            FD_ZERO(&in);
            FD_SET(fd, &in);
            return select(fd + 1, &in, nullptr, nullptr, nullptr);
        });
        const Listening listener = side.listening();
        cancel(side, "accept", [&] { return accept(listener.fd, nullptr, nullptr); });
        pollfd wait_for_call{listener.fd, POLLIN, 0};
        cancel(side, "poll of the listener", [&] { return poll(&wait_for_call, 1, -1); });
        side.exchange(listener.port);
        const int second = side.accepted(listener);
        receive_bytes(side, second, 5, MSG_WAITALL);
    } else {
        send_bytes(side, side.connect_to(side.exchange(0)), 5);
    }
    // Nothing is left locked, and the end is still seen.
    side.meet();
    send_bytes(side, fd, 3000);
    receive_bytes(side, fd, 3000, MSG_WAITALL);
    side.meet();
    if (side.server) close(fd);
    if (!side.server) receive_bytes(side, fd, 1);
    side.meet();
}

void a_cancelled_sender(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        const std::uint64_t filled = fill(fd);
        const std::string bytes = pattern(1000);
        cancel(side, "send", [&] { return send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL); });
        side.exchange(filled);
        side.meet();
        send_bytes(side, fd, 10);
        close(fd);
        return side.meet();
    }
    const std::uint64_t filled = side.exchange(0);
    side.line("came: %d", drain(fd, filled) == filled);
    side.meet();
    receive_bytes(side, fd, 10, MSG_WAITALL);
    receive_bytes(side, fd, 1);
    side.meet();
}

// A request that is pending acts even where the call would not have to sleep.
void a_pending_cancellation(Side& side) {
    const int fd = side.connection();
    send_bytes(side, fd, 1);
    await_bytes(fd, 1);
    pthread_t thread;
    int argument = fd;
    pthread_create(
        &thread, nullptr,
        [](void* number) -> void* {
            pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
            pthread_cancel(pthread_self());
            pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, nullptr);
            char byte;
            recv(*static_cast<int*>(number), &byte, 1, 0);
            return nullptr;
        },
        &argument);
    void* result = nullptr;
    pthread_join(thread, &result);
    side.line("cancelled %d", result == PTHREAD_CANCELED);
    receive_bytes(side, fd, 1);
    side.meet();
}

// Nothing of a thread that was cancelled there is left in the set, which may get its first ring after that.
void cancelled_waits_for_sets(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        const int set = new_set();
        epoll_event event{};
        cancel(side, "epoll_wait of nothing", [&] { return epoll_wait(set, &event, 1, -1); });
        control(set, EPOLL_CTL_ADD, fd, EPOLLIN, 1);
        show_poll(side, set, POLLIN);
        show_wait(side, "nothing came", set, 0);
        for (int round = 0; round < 10; ++round)
            cancel(side, "epoll_wait", [&] { return epoll_wait(set, &event, 1, -1); });
        cancel(side, "epoll_pwait", [&] { return epoll_pwait(set, &event, 1, -1, nullptr); });
        side.meet();
        show_wait(side, "something came", set, kPatienceMs, 1);
        receive_bytes(side, fd, 10);
        close(set);
        close(fd);
    } else {
        side.meet();
        usleep(kUntilAsleepUs);
        send_bytes(side, fd, 10);
        receive_bytes(side, fd, 1);
    }
    side.meet();
}

constexpr Case kCases[] = {
    {"cancelled_threads", cancelled_threads},
    {"a_cancelled_sender", a_cancelled_sender},
    {"a_pending_cancellation", a_pending_cancellation},
    {"cancelled_waits_for_sets", cancelled_waits_for_sets},
};

}  // namespace

int main(int argc, char** argv) { return run_cases(kCases, argc, argv); }
