// Many connections that are busy at once: what they move together, and how evenly.
//
//   connections receive ADDRESS PORT
//   connections send ADDRESS PORT COUNT SECONDS
//   connections hold ADDRESS PORT COUNT GATE     prints `met`, opens them when somebody opens GATE, a FIFO,
//   for
//                                                writing, with the first turn only, and ends when it is
//                                                closed
//
// Each is sent pieces of 16 KiB whenever it has room. The sender prints `open` once all are open, and then
//
//   moved COUNT BYTES_PER_SECOND LEAST MOST    until the last byte was read; bytes of one connection
//
// One more connection carries no load: the sender says there how much it sent, and the receiver answers when
// it has all of it. A first turn, in which each connection gets a piece, is not measured.
#include <string.h>
#include <sys/epoll.h>

#include <algorithm>
#include <vector>

#include "eval/workloads/sockets.hpp"

namespace {

constexpr std::size_t kPiece = 16 << 10;
constexpr int kMostEvents = 512;
constexpr int kBacklog = 4096;

constexpr char kMark[] = "control";  // its first bytes; no piece begins so

char piece[kPiece];

class Events {
  public:
    void add(int fd, std::uint32_t wanted, std::size_t number) {
        epoll_event event{};
        event.events = wanted;
        event.data.u64 = number;
        if (epoll_ctl(set_, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
    }
    // visit(number) for each that is ready.
    template <class Visit>
    void wait(int timeout_ms, Visit visit) {
        epoll_event ready[kMostEvents];
        const int count = epoll_wait(set_, ready, kMostEvents, timeout_ms);
        for (int i = 0; i < count; ++i) visit(static_cast<std::size_t>(ready[i].data.u64));
    }

  private:
    const int set_ = epoll_create1(0);
};

// A connection whose caller gave up before it was answered, and asked again, is reset, and passed over.
void receive(const Name& name) {
    const int listener = listen_at(name, kBacklog);
    Events events;
    events.add(listener, EPOLLIN, 0);
    std::vector<int> fds{listener};
    int control = -1;
    std::uint64_t got = 0;
    std::uint64_t told = 0;
    bool is_asked = false;
    for (bool is_over = false; !is_over;) {
        events.wait(-1, [&](std::size_t number) {
            if (number == 0) {
                fds.push_back(accept_from(listener));
                return events.add(fds.back(), EPOLLIN, fds.size() - 1);
            }
            const int fd = fds[number];
            if (fd == control) {
                is_over = recv(fd, &told, sizeof told, MSG_WAITALL) != sizeof told;
                is_asked = !is_over;
                return;
            }
            const ssize_t moved = recv(fd, piece, control < 0 ? sizeof kMark : sizeof piece, MSG_DONTWAIT);
            if (moved == sizeof kMark && control < 0 && memcmp(piece, kMark, sizeof kMark) == 0) {
                control = fd;
            } else if (moved > 0) {
                got += static_cast<std::uint64_t>(moved);
            } else if (moved == 0 || errno == ECONNRESET) {
                close(fd);
                fds[number] = -1;
            } else if (errno != EAGAIN) {
                fail("recv");
            }
        });
        if (is_asked && got >= told) {
            is_asked = false;
            if (send(control, "", 1, MSG_NOSIGNAL) != 1) fail("send");
        }
    }
}

class Sender {
  public:
    explicit Sender(const Name& name) : control_(connect_with_patience(name)) {
        if (send(control_, kMark, sizeof kMark, MSG_NOSIGNAL) != sizeof kMark) fail("send");
    }

    void open(const Name& name, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            fds_.push_back(connect_with_patience(name));
            events_.add(fds_.back(), EPOLLOUT, i);
        }
        sent_.resize(count);
        each_once();
    }
    // How long it took.
    double run(double seconds) {
        std::fill(sent_.begin(), sent_.end(), 0);
        const double start = now_seconds();
        while (now_seconds() < start + seconds) {
            events_.wait(100, [this](std::size_t number) { send_piece(number); });
        }
        await_receiver();
        return now_seconds() - start;
    }
    const std::vector<std::uint64_t>& sent() const { return sent_; }

  private:
    void each_once() {
        for (std::size_t i = 0; i < fds_.size(); ++i) send_piece(i);
        await_receiver();
    }
    void send_piece(std::size_t number) {
        const ssize_t moved = send(fds_[number], piece, sizeof piece, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (moved < 0 && errno != EAGAIN) fail("send");
        if (moved <= 0) return;
        sent_[number] += static_cast<std::uint64_t>(moved);
        total_ += static_cast<std::uint64_t>(moved);
    }
    void await_receiver() const {
        char answer;
        if (send(control_, &total_, sizeof total_, MSG_NOSIGNAL) != sizeof total_) fail("send");
        if (recv(control_, &answer, 1, 0) != 1) fail("the receiver");
    }

    const int control_;
    std::vector<int> fds_;
    std::vector<std::uint64_t> sent_;
    std::uint64_t total_ = 0;
    Events events_;
};

void say(const char* word) {
    puts(word);
    fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    const bool receives = argc == 4 && strcmp(argv[1], "receive") == 0;
    const bool holds = argc == 6 && strcmp(argv[1], "hold") == 0;
    if (!receives && !holds && (argc != 6 || strcmp(argv[1], "send") != 0)) {
        fprintf(stderr,
                "usage: connections receive ADDRESS PORT | send ADDRESS PORT COUNT SECONDS | "
                "hold ADDRESS PORT COUNT GATE\n");
        return 2;
    }
    const Name name = name_of(argv[2], argv[3]);
    if (receives) {
        receive(name);
        return 0;
    }
    const auto count = static_cast<std::size_t>(atoi(argv[4]));
    Sender sender(name);
    if (holds) {
        say("met");
        const int gate = pass_gate(argv[5]);
        sender.open(name, count);
        say("open");
        char none;
        return read(gate, &none, 1) == 0 ? 0 : 1;
    }
    sender.open(name, count);
    say("open");
    const double seconds = sender.run(atof(argv[5]));
    std::uint64_t all = 0;
    for (const std::uint64_t bytes : sender.sent()) all += bytes;
    const auto [least, most] = std::minmax_element(sender.sent().begin(), sender.sent().end());
    printf("moved %zu %.0f %llu %llu\n", count, static_cast<double>(all) / seconds,
           static_cast<unsigned long long>(*least), static_cast<unsigned long long>(*most));
    return 0;
}
