// Cases of splice and sendfile: pipes, files and sockets, flags, what fills up, what ends.
#include <sys/sendfile.h>

#include <algorithm>

#include "calls.hpp"

namespace {

struct Pipe {
    explicit Pipe(Side& side, int flags = 0) { side.must("pipe", pipe2(ends, flags)); }
    ~Pipe() {
        for (int end : ends) close(end);
    }
    int out() const { return ends[0]; }
    int in() const { return ends[1]; }
    void close_in() {
        close(ends[1]);
        ends[1] = -1;
    }
    int ends[2];
};

// The size that a pipe holds, as bytes of the pattern written at once.
std::size_t fill_pipe(int in) {
    fcntl(in, F_SETFL, O_NONBLOCK);
    const std::string bytes = pattern(4096);
    std::size_t total = 0;
    for (;;) {
        const ssize_t written = write(in, bytes.data(), bytes.size());
        if (written <= 0) break;
        total += static_cast<std::size_t>(written);
    }
    fcntl(in, F_SETFL, 0);
    return total;
}

void an_empty_pipe(Side& side) {
    const int fd = side.connection();
    if (!side.server) {
        Pipe pipe(side);
        side.result("splice, not waiting", splice(pipe.out(), nullptr, fd, nullptr, 10, SPLICE_F_NONBLOCK));
        fcntl(pipe.out(), F_SETFL, O_NONBLOCK);
        side.result("splice of a non-blocking pipe", splice(pipe.out(), nullptr, fd, nullptr, 10, 0));
        fcntl(pipe.out(), F_SETFL, 0);
        std::thread late([&pipe] {
            usleep(30'000);
            if (write(pipe.in(), "late", 4) != 4) abort();
        });
        side.result("splice that waits", splice(pipe.out(), nullptr, fd, nullptr, 10, SPLICE_F_MORE));
        late.join();
        pipe.close_in();
        side.result("splice at the pipe's end", splice(pipe.out(), nullptr, fd, nullptr, 10, 0));
        side.meet();
        return;
    }
    receive_bytes(side, fd, 4, MSG_WAITALL);
    side.meet();
}

void an_empty_connection(Side& side) {
    const int fd = side.connection();
    Pipe pipe(side);
    if (side.server) {
        side.meet();
        usleep(30'000);
        send_bytes(side, fd, 6);
        side.meet();
        shutdown(fd, SHUT_WR);
        return side.meet();
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    side.result("splice of a non-blocking socket", splice(fd, nullptr, pipe.in(), nullptr, 10, 0));
    fcntl(fd, F_SETFL, 0);
    side.meet();
    // SPLICE_F_NONBLOCK is about the pipe alone: the socket waits.
    side.result("splice that waits", splice(fd, nullptr, pipe.in(), nullptr, 10, SPLICE_F_NONBLOCK));
    side.meet();
    char bytes[10];
    show_received(side, "read", read(pipe.out(), bytes, sizeof bytes), bytes);
    side.meet();
    await(fd, POLLRDHUP);
    side.result("splice at the end", splice(fd, nullptr, pipe.in(), nullptr, 10, 0));
}

void a_full_pipe(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        send_bytes(side, fd, 20'000);
        return side.meet();
    }
    await_bytes(fd, 20'000);
    Pipe pipe(side);
    std::size_t size = fill_pipe(pipe.in());
    side.result("splice, not waiting", splice(fd, nullptr, pipe.in(), nullptr, 100, SPLICE_F_NONBLOCK));
    std::string bytes(size, '\0');
    std::thread late([&] {
        usleep(30'000);
        if (read(pipe.out(), bytes.data(), size) != static_cast<ssize_t>(size)) abort();
    });
    side.result("splice that waits", splice(fd, nullptr, pipe.in(), nullptr, 1000, 0));
    late.join();
    show_received(side, "read", read(pipe.out(), bytes.data(), size), bytes.data());
    receive_bytes(side, fd, 19'000, MSG_WAITALL);
    side.meet();
}

void a_pipe_without_a_reader(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        send_bytes(side, fd, 20);
        return side.meet();
    }
    signal(SIGPIPE, SIG_IGN);
    await_bytes(fd, 20);
    Pipe pipe(side);
    close(pipe.ends[0]);
    pipe.ends[0] = -1;
    side.result("splice", splice(fd, nullptr, pipe.in(), nullptr, 20, 0));
    receive_bytes(side, fd, 20, MSG_WAITALL);
    side.meet();
}

// What does not fit into the connection stays in the pipe.
void a_full_connection(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        const std::uint64_t sent = side.exchange(0);
        side.line("came: %d", drain(fd, sent) == sent);
        receive_bytes(side, fd, 14, MSG_WAITALL);
        return;
    }
    const std::uint64_t sent = fill(fd);
    Pipe pipe(side);
    side.result("write", write(pipe.in(), "through a pipe", 14));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    side.result("splice", splice(pipe.out(), nullptr, fd, nullptr, 14, 0));
    int left = 0;
    ioctl(pipe.out(), FIONREAD, &left);
    side.line("left in the pipe: %d", left);
    fcntl(fd, F_SETFL, 0);
    side.exchange(sent);
    side.result("splice", splice(pipe.out(), nullptr, fd, nullptr, 14, 0));
}

void a_connection_that_ended(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        close(fd);
        return side.meet();
    }
    signal(SIGPIPE, SIG_IGN);
    side.meet();
    await(fd, POLLRDHUP);
    Pipe pipe(side);
    side.result("write", write(pipe.in(), "lost", 4));
    shutdown(fd, SHUT_WR);
    side.result("splice", splice(pipe.out(), nullptr, fd, nullptr, 4, 0));
    int left = 0;
    ioctl(pipe.out(), FIONREAD, &left);
    side.line("left in the pipe: %d", left);
    side.result("splice", splice(fd, nullptr, pipe.in(), nullptr, 4, 0));
}

void arguments_that_are_refused(Side& side) {
    const int fd = side.connection();
    Pipe pipe(side);
    off64_t offset = 0;
    FILE* file = tmpfile();
    side.result("write", write(pipe.in(), "bytes", 5));
    side.result("no bytes", splice(pipe.out(), nullptr, fd, nullptr, 0, 0));
    side.result("unknown flags", splice(pipe.out(), nullptr, fd, nullptr, 5, 0x40));
    side.result("an offset of the pipe", splice(pipe.out(), &offset, fd, nullptr, 5, 0));
    side.result("an offset of the socket", splice(pipe.out(), nullptr, fd, &offset, 5, 0));
    side.result("socket to socket", splice(fd, nullptr, fd, nullptr, 5, 0));
    side.result("socket to file", splice(fd, nullptr, fileno(file), nullptr, 5, 0));
    side.result("no such descriptor", splice(fd, nullptr, 999, nullptr, 5, 0));
    side.result("tee", tee(pipe.out(), fd, 5, 0));
    iovec piece{&offset, sizeof offset};
    side.result("vmsplice", vmsplice(fd, &piece, 1, 0));
    side.result("copy_file_range", copy_file_range(fd, nullptr, fileno(file), nullptr, 5, 0));
    side.result("sendfile from the socket", sendfile(fileno(file), fd, nullptr, 5));
    side.result("sendfile from the socket to itself", sendfile(fd, fd, nullptr, 5));
    side.result("sendfile from the pipe", sendfile(fd, pipe.out(), nullptr, 5));
    side.result("sendfile from nothing", sendfile(fd, 999, nullptr, 5));
    const int write_only = open("/dev/null", O_WRONLY);
    side.result("sendfile from what cannot be read", sendfile(fd, write_only, nullptr, 5));
    fclose(file);
    side.meet();
}

// A proxy's way: from one connection through a pipe into another, all that comes.
void a_relay(Side& side) {
    constexpr std::size_t kSize = 3 << 20;
    const int from = side.connection();
    const int to = side.connection();
    if (!side.server) {
        std::thread sender([&] {
            const std::string bytes = pattern(kSize);
            for (std::size_t done = 0; done < kSize;) {
                done += static_cast<std::size_t>(
                    std::max<ssize_t>(send(from, bytes.data() + done, kSize - done, MSG_NOSIGNAL), 0));
            }
            shutdown(from, SHUT_WR);
        });
        std::string bytes(kSize, '\0');
        const ssize_t got = recv(to, bytes.data(), kSize, MSG_WAITALL);
        show_received(side, "recv", got, bytes.data());
        receive_bytes(side, to, 1);
        sender.join();
        return;
    }
    Pipe pipe(side);
    ssize_t moved = 0;
    while ((moved = splice(from, nullptr, pipe.in(), nullptr, 1 << 20, SPLICE_F_MOVE)) > 0) {
        while (moved > 0) {
            const ssize_t passed = splice(pipe.out(), nullptr, to, nullptr, static_cast<std::size_t>(moved),
                                          SPLICE_F_MOVE | SPLICE_F_MORE);
            if (passed <= 0) break;
            moved -= passed;
        }
    }
    side.result("splice at the end", moved);
    close(to);
}

constexpr Case kCases[] = {
    {"an_empty_pipe", an_empty_pipe},
    {"an_empty_connection", an_empty_connection},
    {"a_full_pipe", a_full_pipe},
    {"a_pipe_without_a_reader", a_pipe_without_a_reader, true},
    {"a_full_connection", a_full_connection},
    {"a_connection_that_ended", a_connection_that_ended, true},
    {"arguments_that_are_refused", arguments_that_are_refused},
    {"a_relay", a_relay},
};

}  // namespace

int main(int argc, char** argv) { return run_cases(kCases, argc, argv); }
