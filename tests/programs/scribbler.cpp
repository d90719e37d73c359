// Connections whose shared memory a hostile peer writes to, and the server that must live through it.
//
//   scribbler serve ADDRESS PORT_FILE COUNT            accepts so many connections in one thread, echoes on
//                                                      all of them, and waits until all are over
//   scribbler attack ADDRESS PORT_FILE SECONDS KIND... makes a connection for each KIND, and then lies on all
//                                                      of them at once, for so long
//   scribbler echo ADDRESS PORT_FILE FILE              an honest one: asks for echoes until that file exists
//
// The server prints `N END` when its N-th connection is over (`end`, or the name of errno), and at last
// `longest MS`, the longest time in which the others had no turn. The attacker prints `ready TRANSPORTS`
// before it lies, and `lies N MS`; the honest one `TRANSPORT ECHOES`. What they know of the memory:
// vsock-transport/ring/slab_layout.h.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <random>
#include <set>
#include <string>
#include <vector>

#include "bytes.hpp"
#include "rendezvous.hpp"
#include "transports.hpp"

namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kPiece = 16 << 10;

long now_ms() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

// Memory of connections that this process has mapped, in whatever way: granted by it, or a memfd.
struct Mapped {
    unsigned char* start;
    std::size_t size;
    bool operator<(const Mapped& other) const { return start < other.start; }
};
std::set<Mapped> mapped_slabs() {
    std::set<Mapped> found;
    FILE* maps = fopen("/proc/self/maps", "r");
    char line[512];
    while (maps != nullptr && fgets(line, sizeof line, maps) != nullptr) {
        unsigned long start = 0;
        unsigned long end = 0;
        const bool is_slab =
            strstr(line, "/dev/xen/gntalloc") != nullptr || strstr(line, "xylem-slab") != nullptr;
        if (!is_slab || sscanf(line, "%lx-%lx", &start, &end) != 2) continue;
        found.insert({reinterpret_cast<unsigned char*>(start), end - start});
    }
    if (maps != nullptr) fclose(maps);
    return found;
}

class Server {
  public:
    int serve(int listener, std::size_t count) {
        while (over_ < count) {
            std::vector<pollfd> items;
            if (made_.size() < count) items.push_back({listener, POLLIN, 0});
            for (const Connection& connection : made_) {
                if (connection.fd < 0) continue;
                items.push_back({connection.fd, events_of(connection), 0});
            }
            if (poll(items.data(), items.size(), -1) < 0) fail("poll");
            const long start_ms = now_ms();
            for (const pollfd& item : items) {
                if (item.revents == 0) continue;
                if (item.fd == listener) take(listener);
                for (std::size_t i = 0; i < made_.size() && item.fd != listener; ++i) {
                    if (made_[i].fd == item.fd) echo(i);
                }
            }
            longest_ms_ = std::max(longest_ms_, now_ms() - start_ms);
        }
        printf("longest %ld\n", longest_ms_);
        return 0;
    }

  private:
    struct Connection {
        int fd;
        std::string unsent;
    };
    static short events_of(const Connection& connection) {
        return connection.unsent.empty() ? POLLIN : POLLOUT;
    }
    void take(int listener) {
        const int fd = accept(listener, nullptr, nullptr);
        // One that is gone, or never was whole, is none.
        if (fd < 0 && errno != ECONNABORTED && errno != EAGAIN) fail("accept");
        if (fd >= 0) made_.push_back({fd, {}});
    }
    void echo(std::size_t i) {
        static char bytes[kPiece];
        Connection& connection = made_[i];
        if (connection.unsent.empty()) {
            const ssize_t got = recv(connection.fd, bytes, sizeof bytes, MSG_DONTWAIT);
            if (got == 0 || (got < 0 && errno != EAGAIN)) return end(i, got == 0 ? 0 : errno);
            if (got > 0) connection.unsent.assign(bytes, static_cast<std::size_t>(got));
        }
        if (connection.unsent.empty()) return;
        const ssize_t sent = send(connection.fd, connection.unsent.data(), connection.unsent.size(),
                                  MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) return end(i, errno);
        if (sent > 0) connection.unsent.erase(0, static_cast<std::size_t>(sent));
    }
    void end(std::size_t i, int error) {
        printf("%zu %s\n", i, error == 0 ? "end" : strerrorname_np(error));
        fflush(stdout);
        close(made_[i].fd);
        made_[i].fd = -1;
        ++over_;
    }

    std::vector<Connection> made_;
    std::size_t over_ = 0;
    long longest_ms_ = 0;
};

// One connection, of which this process has the connecting end and granted the memory.
class Victim {
  public:
    Victim(const char* address, unsigned port, std::string kind) : kind_(std::move(kind)) {
        const std::set<Mapped> before = mapped_slabs();
        fd_ = connect_to(name_of(address, port));
        // More than both rings hold, of which nothing is read: the far end has something to say and no room.
        const std::string bytes(kPiece, 'x');
        for (int i = 0; i < 20; ++i) {
            while (send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) continue;
            usleep(5'000);
        }
        for (const Mapped& slab : mapped_slabs()) {
            if (before.count(slab) == 0 && slab.size > slab_.size) slab_ = slab;
        }
        if (slab_.size == 0) fail("no memory of a connection");
    }
    int fd() const { return fd_; }

    void lie(std::mt19937_64& random) {
        const std::uint64_t any = random() >> random() % 64;
        if (kind_ == "beyond") store(random() % 2 == 0 ? kHead : kTail, (1ULL << 40) + any % (1ULL << 40));
        if (kind_ == "back") store(random() % 2 == 0 ? kHead : kTail, any % 1000);
        if (kind_ == "flip") store(kHead + random() % 2 * (kTail - kHead), random() % 2 == 0 ? any : 70'000);
        if (kind_ == "states") store_half(random() % 2 == 0 ? kTxState : kRxState, any);
        if (kind_ == "random") store(random() % (kPageBytes / 8) * 8, any);
        if (kind_ == "everything") slab_.start[random() % slab_.size] = static_cast<unsigned char>(any);
        if (kind_ == "origin" || kind_ == "waiters") play_along();
        if (kind_ == "origin") store(kOrigin, any);
        if (kind_ == "waiters") store(kSlots + random() % 8 * 8, any);
    }

  private:
    // Of the connecting end's block: vsock-transport/ring/slab_layout.h.
    static constexpr std::size_t kHead = 256;
    static constexpr std::size_t kOrigin = 264;
    static constexpr std::size_t kTxState = 272;
    static constexpr std::size_t kTail = 320;
    static constexpr std::size_t kRxState = 328;
    static constexpr std::size_t kSlots = 384;

    void store(std::size_t at, std::uint64_t word) {
        __atomic_store_n(reinterpret_cast<std::uint64_t*>(slab_.start + at), word, __ATOMIC_RELEASE);
    }
    void store_half(std::size_t at, std::uint64_t word) {
        __atomic_store_n(reinterpret_cast<std::uint32_t*>(slab_.start + at), static_cast<std::uint32_t>(word),
                         __ATOMIC_RELEASE);
    }
    // Bytes go on moving, so that the far end looks at the rest.
    void play_along() {
        static char bytes[512];
        if (recv(fd_, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
            (void)!send(fd_, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
    }

    std::string kind_;
    int fd_ = -1;
    Mapped slab_{};
};

int attack(const char* address, const char* port_file, int seconds, char** kinds) {
    const unsigned port = read_port(port_file);
    std::vector<Victim> victims;
    Transports transports;
    for (; *kinds != nullptr; ++kinds) {
        victims.emplace_back(address, port, *kinds);
        transports.note(victims.back().fd());
    }
    printf("ready %s\n", transports.word());
    fflush(stdout);
    std::mt19937_64 random(1);
    unsigned long long lies = 0;
    const long start_ms = now_ms();
    // Turns of a millisecond and rests of nine: the honest programs of this guest run as well.
    for (; now_ms() < start_ms + seconds * 1000L; usleep(9'000)) {
        for (const long turn_ms = now_ms(); now_ms() <= turn_ms + 1; ++lies) {
            for (Victim& victim : victims) victim.lie(random);
        }
    }
    printf("lies %llu %ld\n", lies * victims.size(), now_ms() - start_ms);
    fflush(stdout);
    raise(SIGKILL);  // the library is not to bring anything in order
    return 0;
}

int echo(const char* address, const char* port_file, const char* until) {
    const int fd = connect_to(name_of(address, read_port(port_file)));
    const char* transport = transport_of(fd);
    unsigned echoes = 0;
    for (; access(until, F_OK) != 0; ++echoes) {
        const std::string sent = pattern(1 + echoes * 37 % 5'000, echoes);
        std::string got(sent.size(), '\0');
        if (!send_all(fd, sent)) fail("send");
        if (recv(fd, got.data(), got.size(), MSG_WAITALL) != static_cast<ssize_t>(got.size())) fail("recv");
        if (got != sent) fail("the echo is another");
        usleep(2'000);
    }
    printf("%s %u\n", transport, echoes);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string verb = argc > 4 ? argv[1] : "";
    if (verb == "serve" && argc == 5) {
        const int listener = listen_at(name_of(argv[2], 0), argv[3], atoi(argv[4]));
        return Server().serve(listener, static_cast<std::size_t>(atoi(argv[4])));
    }
    if (verb == "attack" && argc > 5) return attack(argv[2], argv[3], atoi(argv[4]), argv + 5);
    if (verb == "echo" && argc == 5) return echo(argv[2], argv[3], argv[4]);
    fprintf(stderr,
            "usage: scribbler serve ADDRESS PORT_FILE COUNT | attack ADDRESS PORT_FILE SECONDS KIND... | "
            "echo ADDRESS PORT_FILE FILE\n");
    return 2;
}
