// One case of socket behaviour, played by two sides and written down. Each side's transcript names the calls
// that matter, what they returned, errno, event masks and a hash of the bytes: whoever carries the bytes, the
// transcripts must be the same. Plain POSIX; compare.sh compares.
//
//   PROGRAM list                             one line a case: NAME, or `NAME alone` (a process a side)
//   PROGRAM server|client DIR ADDRESS CASE   one side; both sides meet through DIR/meeting
//   PROGRAM both DIR ADDRESS CASE            both sides as two threads of one process
//
// A side writes DIR/SIDE.txt, its transcript, and DIR/SIDE.transport: a line for each connection that it
// made.
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "tests/programs/socket_name.hpp"
#include "tests/programs/transports.hpp"

// Slow machines need more time.
inline int setting(const char* variable, int usual) {
    const char* text = getenv(variable);
    return text != nullptr ? atoi(text) : usual;
}

inline constexpr int kPatienceMs = 20'000;  // for what must happen
inline constexpr int kMeetingFd = 200;      // the sides' own channel, out of the way of the lowest numbers
inline const int kAlarmSeconds = setting("CASE_ALARM_SECONDS", 60);

struct Listening {
    int fd;
    std::uint64_t port;
};

class Side {
  public:
    Side(bool is_server, const char* listen_address, int meeting_fd)
        : server(is_server), address(listen_address), meeting_fd_(meeting_fd) {}

    const bool server;
    const char* const address;

    // One line of the transcript.
    __attribute__((format(printf, 2, 3))) void line(const char* format, ...) {
        char text[1024];
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(text, sizeof text, format, arguments);
        va_end(arguments);
        transcript_ += text;
        transcript_ += '\n';
    }
    // A line for a call that says -1 and errno, or a number that both transports must agree on.
    template <class Number>
    Number result(const char* call, Number value) {
        const int error = errno;
        if (value == static_cast<Number>(-1)) {
            line("%s = -1 %s", call, strerrorname_np(error));
        } else {
            line("%s = %lld", call, static_cast<long long>(value));
        }
        errno = error;
        return value;
    }
    // For what only the case itself needs: a failure ends the case with a line.
    int must(const char* call, int value) {
        if (value == -1) {
            line("%s unexpectedly failed: %s", call, strerrorname_np(errno));
            throw Stopped{};
        }
        return value;
    }

    // Both sides have come here; each hears the other's value.
    std::uint64_t exchange(std::uint64_t value) {
        if (::send(meeting_fd_, &value, sizeof value, MSG_NOSIGNAL) != sizeof value) throw Stopped{};
        std::uint64_t theirs = 0;
        if (::recv(meeting_fd_, &theirs, sizeof theirs, 0) != sizeof theirs) {
            line("the other side has left");
            throw Stopped{};
        }
        return theirs;
    }
    void meet() { exchange(0); }

    // A socket that listens on the side's address, or on another one.
    Listening listening(int backlog = 16, const char* on = nullptr, int flags = 0);
    // One whose port the client has heard, by an exchange of its own; and the next caller there.
    Listening offered(int backlog = 16, const char* on = nullptr);
    int accepted(const Listening& listener, Name* peer = nullptr);
    // A connection: the server's side of it, or the client's. Ready at both ends when it returns.
    int connection(int flags = 0);
    int connect_to(std::uint64_t port, int flags = 0);
    // Writes down (not in the transcript) what carries the connection.
    void note_transport(int fd);

    const std::string& transcript() const { return transcript_; }
    const std::string& transports() const { return transports_; }
    // In a child made by fork, whose lines go nowhere.
    void mute() { transcript_.clear(); }

    struct Stopped {};

  private:
    int meeting_fd_;
    std::string transcript_;
    std::string transports_;
};

inline Listening Side::listening(int backlog, const char* on, int flags) {
    Name name = name_of(on != nullptr ? on : address, 0);
    const int fd = must("socket", socket(name.storage.ss_family, SOCK_STREAM | flags, 0));
    must("bind", bind(fd, name.get(), name.length));
    must("listen", listen(fd, backlog));
    return {fd, local_name(fd).port()};
}

inline Listening Side::offered(int backlog, const char* on) {
    const Listening listener = listening(backlog, on);
    exchange(listener.port);
    return listener;
}

inline int Side::accepted(const Listening& listener, Name* peer) {
    sockaddr* name = peer != nullptr ? peer->get() : nullptr;
    const int fd = must("accept", accept(listener.fd, name, peer != nullptr ? &peer->length : nullptr));
    note_transport(fd);
    return fd;
}

inline int Side::connect_to(std::uint64_t port, int flags) {
    Name name = name_of(address, port);
    const int fd = must("socket", socket(name.storage.ss_family, SOCK_STREAM | flags, 0));
    must("connect", connect(fd, name.get(), name.length));
    note_transport(fd);
    return fd;
}

inline int Side::connection(int flags) {
    int fd = -1;
    if (server) {
        const Listening listener = offered();
        fd = must("accept4", accept4(listener.fd, nullptr, nullptr, flags));
        note_transport(fd);
        close(listener.fd);
    } else {
        fd = connect_to(exchange(0));
        if ((flags & SOCK_NONBLOCK) != 0) fcntl(fd, F_SETFL, O_NONBLOCK);
    }
    meet();
    return fd;
}

inline void Side::note_transport(int fd) {
    Name name;
    const bool libc_knows = getpeername(fd, name.get(), &name.length) == 0;
    transports_ += std::string(libc_knows ? transport_of(fd) : "none") + "\n";
}

struct Case {
    const char* name;
    void (*play)(Side&);
    bool alone = false;  // it needs a process a side: it forks, counts descriptors or handles signals
};

inline int run_cases(const Case* cases, std::size_t count, int argc, char** argv);

template <std::size_t count>
int run_cases(const Case (&cases)[count], int argc, char** argv) {
    return run_cases(cases, count, argc, argv);
}

#include "case_main.hpp"
