// Many connections with bytes on the move in both directions, until something ends them all.
//
//   many_transfers serve ADDRESS PORT_FILE COUNT
//   many_transfers call ADDRESS PORT_FILE COUNT
//
// Each side prints `ready TRANSPORTS` (ring, tcp or both) once it has read something from each connection,
// and when the last one is over `over ENDS RESETS MS`: how many ended, how many with ECONNRESET or EPIPE, and
// the milliseconds from the first of them to the last. Exit code 0 if nothing else happened to any. SIGUSR1
// makes it fork a child that closes all of them and ends; `forked` is printed then.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <vector>

#include "rendezvous.hpp"
#include "transports.hpp"

namespace {

constexpr std::size_t kPiece = 16 << 10;

volatile sig_atomic_t is_to_fork = 0;

std::vector<pollfd> connections(bool serves, const char* address, const char* port_file, int count) {
    std::vector<pollfd> made;
    const int listener = serves ? listen_at(name_of(address, 0), port_file, count) : -1;
    const unsigned port = serves ? 0 : read_port(port_file);
    for (int i = 0; i < count; ++i) {
        const int fd = serves ? accept(listener, nullptr, nullptr) : connect_to(name_of(address, port));
        if (fd < 0) fail("accept");
        made.push_back({fd, POLLIN | POLLOUT, 0});
    }
    return made;
}

long now_ms() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

class Play {
  public:
    explicit Play(std::vector<pollfd> items) : items_(std::move(items)), has_read_(items_.size(), false) {
        for (const pollfd& item : items_) transports_.note(item.fd);
    }

    int until_all_are_over() {
        while (ends_ + resets_ < items_.size()) {
            if (is_to_fork != 0) fork_once();
            if (poll(items_.data(), items_.size(), -1) < 0) {
                if (errno == EINTR) continue;
                fail("poll");
            }
            for (std::size_t i = 0; i < items_.size(); ++i) {
                if (items_[i].revents != 0) move_bytes(i);
            }
        }
        printf("over %zu %zu %ld\n", ends_, resets_, now_ms() - first_over_ms_);
        return 0;
    }

  private:
    void fork_once() {
        is_to_fork = 0;
        const pid_t child = fork();
        if (child == 0) {
            for (const pollfd& item : items_) close(item.fd);
            _exit(0);
        }
        if (child < 0 || waitpid(child, nullptr, 0) != child) fail("fork");
        printf("forked\n");
        fflush(stdout);
    }
    void move_bytes(std::size_t i) {
        static char bytes[kPiece];
        pollfd& item = items_[i];
        const ssize_t got = recv(item.fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN)) return over(item, got == 0 ? 0 : errno);
        if (got > 0) note_read(i);
        const ssize_t sent = send(item.fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) return over(item, errno);
        // Room is worth a wake-up only while there is none.
        item.events = static_cast<short>(POLLIN | (sent < static_cast<ssize_t>(sizeof bytes) ? POLLOUT : 0));
    }
    void note_read(std::size_t i) {
        if (has_read_[i]) return;
        has_read_[i] = true;
        if (++read_ < items_.size()) return;
        printf("ready %s\n", transports_.word());
        fflush(stdout);
    }
    void over(pollfd& item, int error) {
        if (error != 0 && error != ECONNRESET && error != EPIPE) fail("a connection");
        if (ends_ + resets_ == 0) first_over_ms_ = now_ms();
        ++(error == 0 ? ends_ : resets_);
        close(item.fd);
        item.fd = -1;
    }

    std::vector<pollfd> items_;
    std::vector<bool> has_read_;
    std::size_t read_ = 0;
    std::size_t ends_ = 0;
    std::size_t resets_ = 0;
    long first_over_ms_ = 0;
    Transports transports_;
};

}  // namespace

int main(int argc, char** argv) {
    const bool serves = argc == 5 && strcmp(argv[1], "serve") == 0;
    if (!serves && (argc != 5 || strcmp(argv[1], "call") != 0)) {
        fprintf(stderr, "usage: many_transfers serve|call ADDRESS PORT_FILE COUNT\n");
        return 2;
    }
    struct sigaction action {};
    action.sa_handler = [](int) { is_to_fork = 1; };
    sigaction(SIGUSR1, &action, nullptr);
    return Play(connections(serves, argv[2], argv[3], atoi(argv[4]))).until_all_are_over();
}
