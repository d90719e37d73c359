// Calls as the transcripts show them. Bytes are a running pattern per side, and shown as a hash.
#pragma once

#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/uio.h>

#include <atomic>

#include "case.hpp"
#include "tests/programs/bytes.hpp"

struct EventName {
    unsigned bit;
    const char* word;
};
inline constexpr EventName kEventNames[] = {{POLLIN, "IN"},      {POLLPRI, "PRI"}, {POLLOUT, "OUT"},
                                            {POLLERR, "ERR"},    {POLLHUP, "HUP"}, {POLLNVAL, "NVAL"},
                                            {POLLRDHUP, "RDHUP"}};

inline std::string events_text(unsigned events) {
    std::string text;
    for (const EventName& name : kEventNames) {
        if ((events & name.bit) != 0) text += text.empty() ? name.word : std::string("|") + name.word;
    }
    return text.empty() ? "none" : text;
}

// send(2) of `size` bytes of the pattern.
inline ssize_t send_bytes(Side& side, int fd, std::size_t size, int flags = MSG_NOSIGNAL,
                          std::uint64_t seed = 0) {
    const std::string bytes = pattern(size, seed);
    const ssize_t sent = send(fd, bytes.data(), size, flags);
    char call[64];
    snprintf(call, sizeof call, "send(%zu bytes, flags 0x%x)", size, static_cast<unsigned>(flags));
    return side.result(call, sent);
}

inline void show_received(Side& side, const char* call, ssize_t got, const void* bytes) {
    if (got > 0) {
        side.line("%s = %zd, hash %016llx", call, got,
                  static_cast<unsigned long long>(hash_of(bytes, static_cast<std::size_t>(got))));
    } else {
        side.result(call, got);
    }
}

inline ssize_t receive_bytes(Side& side, int fd, std::size_t size, int flags = 0) {
    std::string bytes(size, '\0');
    const ssize_t got = recv(fd, bytes.data(), size, flags);
    char call[64];
    snprintf(call, sizeof call, "recv(%zu bytes, flags 0x%x)", size, static_cast<unsigned>(flags));
    show_received(side, call, got, bytes.data());
    return got;
}

// Waits until all of `events` are there (others may be as well); false if they never come.
inline bool await(int fd, short events, int patience_ms = kPatienceMs) {
    constexpr int kStepMs = 2;
    for (int left_ms = patience_ms; left_ms > 0; left_ms -= kStepMs) {
        pollfd item{fd, events, 0};
        if (poll(&item, 1, 100) > 0 && (item.revents & events) == events) return true;
        usleep(kStepMs * 1000);
    }
    return false;
}

// `size` bytes are there to be read, or the peer has ended.
inline bool await_bytes(int fd, int size) {
    for (int left_ms = kPatienceMs; left_ms > 0; left_ms -= 2) {
        int ready = 0;
        if (ioctl(fd, FIONREAD, &ready) == 0 && ready >= size) return true;
        usleep(2000);
    }
    return false;
}

inline void show_poll(Side& side, int fd, short events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP) {
    pollfd item{fd, events, 0};
    const int count = poll(&item, 1, 0);
    side.line("poll = %d %s", count, events_text(static_cast<unsigned short>(item.revents)).c_str());
}

inline void show_select(Side& side, int fd) {
    fd_set in, out, error;
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_ZERO(&error);
    FD_SET(fd, &in);
    FD_SET(fd, &out);
    FD_SET(fd, &error);
    timeval now{};
    const int count = select(fd + 1, &in, &out, &error, &now);
    side.line("select = %d in %d out %d error %d", count, FD_ISSET(fd, &in), FD_ISSET(fd, &out),
              FD_ISSET(fd, &error));
}

inline void show_epoll(Side& side, int fd) {
    const int set = epoll_create1(EPOLL_CLOEXEC);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP;
    epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
    event = {};
    const int count = epoll_wait(set, &event, 1, 0);
    side.line("epoll = %d %s", count, events_text(event.events).c_str());
    close(set);
}

// What every way to ask says about the socket's state.
inline void show_masks(Side& side, int fd, const char* state) {
    side.line("-- %s", state);
    show_poll(side, fd);
    show_select(side, fd);
    show_epoll(side, fd);
}

inline int option(int fd, int level, int name) {
    int value = -1;
    socklen_t length = sizeof value;
    return getsockopt(fd, level, name, &value, &length) == 0 ? value : -1;
}

inline void show_socket_error(Side& side, int fd) {
    const int error = option(fd, SOL_SOCKET, SO_ERROR);
    side.line("SO_ERROR = %s", error == 0 ? "0" : strerrorname_np(error));
}

// Sends without waiting until not one more byte fits. Returns how much went in. The kernel goes on moving
// bytes to the peer's buffer for a while, on a busy machine until it has sent some again (after 200 ms).
inline std::size_t fill(int fd) {
    const std::string bytes = pattern(64 << 10);
    std::size_t total = 0;
    for (std::size_t piece : {bytes.size(), std::size_t{1}}) {
        const int looks = piece == 1 ? 30 : 5;
        for (int full = 0; full < looks;) {
            const ssize_t sent = send(fd, bytes.data(), piece, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (sent > 0) total += static_cast<std::size_t>(sent);
            full = sent > 0 ? 0 : full + 1;
            if (sent <= 0) usleep(10'000);
        }
    }
    return total;
}

inline std::size_t drain(int fd, std::size_t size) {
    std::string bytes(64 << 10, '\0');
    std::size_t total = 0;
    while (total < size) {
        const ssize_t got = recv(fd, bytes.data(), std::min(bytes.size(), size - total), 0);
        if (got <= 0) break;
        total += static_cast<std::size_t>(got);
    }
    return total;
}

// From then on, how often a broken pipe was told of by a signal.
inline std::atomic<int> pipe_signals{0};

inline void count_pipe_signals() {
    struct sigaction action {};
    action.sa_handler = [](int) { ++pipe_signals; };
    sigaction(SIGPIPE, &action, nullptr);
}
