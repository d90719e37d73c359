// The meeting of the two sides of a case of the socket suite (tests/conformance/socket_suite/case.hpp), where
// they are in two guests: what each side's process sends on its socket DIR/meeting comes out of the other's.
// It goes by libxenvchan, so that nothing of Xylem is needed for it.
//
//   meeting_relay server DOMAIN NODE DIR   calls at DIR/meeting as often as the other guest's client does
//   meeting_relay client DOMAIN NODE DIR   answers at DIR/meeting
//
// NODE: of the channel in XenStore, below data/ of the server's guest. One session after the other: begin,
// messages both ways, and an end from each side. Runs until it is killed, or until the other one is.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <string>

extern "C" {
#include <libxenvchan.h>
}

namespace {

constexpr std::size_t kRingBytes = 4096;
constexpr int kPatienceMs = 60'000;  // for the other guest, and for the server's process
constexpr int kPauseMs = 20;

enum class What : unsigned char { begin, message, end };

struct Frame {
    What what;
    unsigned char size = 0;
    char bytes[64];
};

[[noreturn]] void fail(const char* what) {
    fprintf(stderr, "meeting_relay: %s: %s\n", what, strerror(errno));
    exit(1);
}

// The other relay.
class Far {
  public:
    explicit Far(libxenvchan* channel) : channel_(channel) { channel_->blocking = 1; }

    void send(const Frame& frame) {
        if (libxenvchan_send(channel_, &frame, sizeof frame) != sizeof frame) fail("the other guest");
    }
    Frame receive() {
        Frame frame{};
        if (libxenvchan_recv(channel_, &frame, sizeof frame) != sizeof frame) fail("the other guest");
        return frame;
    }
    bool has_frame() { return libxenvchan_data_ready(channel_) >= static_cast<int>(sizeof(Frame)); }
    bool is_open() { return libxenvchan_is_open(channel_) != 0; }
    int fd() { return libxenvchan_fd_for_select(channel_); }
    void take_event() { libxenvchan_wait(channel_); }

  private:
    libxenvchan* channel_;
};

// A session, over the socket of this guest's process; -1: it did not come.
void play(Far& far, int fd) {
    bool is_here = fd >= 0;
    bool is_there = true;
    if (!is_here) far.send({What::end, 0, {}});
    while (is_here || is_there) {
        while (far.has_frame()) {
            const Frame frame = far.receive();
            if (frame.what == What::end) {
                is_there = false;
                if (is_here) shutdown(fd, SHUT_WR);
            } else if (is_here) {
                send(fd, frame.bytes, frame.size, MSG_NOSIGNAL);
            }
        }
        if (!far.is_open()) fail("the other guest has gone");
        if (!is_here && !is_there) break;
        pollfd polled[] = {{far.fd(), POLLIN, 0}, {is_here ? fd : -1, POLLIN, 0}};
        if (poll(polled, 2, kPatienceMs) < 0 && errno != EINTR) fail("poll");
        if (polled[0].revents != 0) far.take_event();
        if (polled[1].revents == 0) continue;
        Frame frame{What::message, 0, {}};
        const ssize_t count = recv(fd, frame.bytes, sizeof frame.bytes, 0);
        is_here = count > 0;
        frame.what = is_here ? What::message : What::end;
        frame.size = static_cast<unsigned char>(is_here ? count : 0);
        far.send(frame);
    }
    if (fd >= 0) close(fd);
}

sockaddr_un name_in(const std::string& directory) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    snprintf(name.sun_path, sizeof name.sun_path, "%s/meeting", directory.c_str());
    return name;
}

int call(const sockaddr_un& name) {
    const int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    for (int left_ms = kPatienceMs; left_ms > 0; left_ms -= kPauseMs) {
        if (connect(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0) return fd;
        usleep(kPauseMs * 1000);
    }
    close(fd);
    return -1;
}

void serve(int domain, const char* node, const std::string& directory) {
    libxenvchan* channel = libxenvchan_server_init(nullptr, domain, node, kRingBytes, kRingBytes);
    if (channel == nullptr) fail("libxenvchan_server_init");
    Far far(channel);
    while (far.receive().what == What::begin) play(far, call(name_in(directory)));
}

void answer(int domain, const char* node, const std::string& directory) {
    libxenvchan* channel = nullptr;
    const std::string path = "/local/domain/" + std::to_string(domain) + "/" + node;
    for (int left_ms = kPatienceMs; channel == nullptr; left_ms -= kPauseMs) {
        channel = libxenvchan_client_init(nullptr, domain, path.c_str());
        if (left_ms <= 0) fail(path.c_str());
        if (channel == nullptr) usleep(kPauseMs * 1000);
    }
    Far far(channel);
    const sockaddr_un name = name_in(directory);
    const int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    unlink(name.sun_path);
    if (bind(listener, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 ||
        listen(listener, 1) != 0)
        fail(name.sun_path);
    for (;;) {
        const int fd = accept(listener, nullptr, nullptr);
        if (fd < 0) fail("accept");
        far.send({What::begin, 0, {}});
        play(far, fd);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: %s server|client DOMAIN NODE DIR\n", argv[0]);
        return 2;
    }
    if (strcmp(argv[1], "server") == 0)
        serve(atoi(argv[2]), argv[3], argv[4]);
    else
        answer(atoi(argv[2]), argv[3], argv[4]);
    return 0;
}
