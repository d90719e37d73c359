// Epoll sets as the transcripts show them.
#pragma once

#include <algorithm>

#include "calls.hpp"

inline const int kQuietMs = setting("CASE_QUIET_MS", 30);  // when nothing more is expected

inline int new_set() { return epoll_create1(EPOLL_CLOEXEC); }

inline int control(int set, int operation, int fd, unsigned events, std::uint64_t data) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = data;
    return epoll_ctl(set, operation, fd, &event);
}

inline int set_with(int fd, unsigned events, std::uint64_t data = 1) {
    const int set = new_set();
    control(set, EPOLL_CTL_ADD, fd, events, data);
    return set;
}

// What one wait says, sorted by the data.
inline int show_wait(Side& side, const char* what, int set, int timeout_ms, int room = 16) {
    epoll_event events[16] = {};
    const int count = epoll_wait(set, events, room, timeout_ms);
    side.result(what, count);
    std::sort(events, events + std::max(count, 0),
              [](const epoll_event& a, const epoll_event& b) { return a.data.u64 < b.data.u64; });
    for (int i = 0; i < count; ++i) {
        side.line("  %llx %s", static_cast<unsigned long long>(events[i].data.u64),
                  events_text(events[i].events).c_str());
    }
    return count;
}

// The client sends `size` bytes; the server has `expected` of them when it returns.
inline void send_to_server(Side& side, int fd, std::size_t size, int expected) {
    side.meet();
    if (!side.server) send_bytes(side, fd, size);
    side.meet();
    if (side.server) await_bytes(fd, expected);
}

// The same some time after both have gone on: the server sleeps by then.
inline void send_later(Side& side, int fd, std::size_t size) {
    side.meet();
    if (side.server) return;
    usleep(kQuietMs * 1000);
    send_bytes(side, fd, size);
}
