// The workloads of exchange.hpp over a stream socket, whatever carries it.
//
//   socket_exchange answer ADDRESS PORT            accepts one connection and answers until it ends
//   socket_exchange ask ADDRESS PORT               all sizes
//   socket_exchange load ADDRESS PORT SECONDS      messages of 64 KiB one way
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "eval/workloads/exchange.hpp"

namespace {

constexpr double kPatienceSeconds = 60;  // for the answering side to listen

sockaddr_in name_of(const char* address, const char* port) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(static_cast<std::uint16_t>(atoi(port)));
    if (inet_pton(AF_INET, address, &name.sin_addr) != 1) fail(address);
    return name;
}

int listen_and_accept(const sockaddr_in& name) {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) fail("bind");
    if (listen(listener, 1) != 0) fail("listen");
    const int fd = accept(listener, nullptr, nullptr);
    if (fd < 0) fail("accept");
    close(listener);
    return fd;
}

int connect_with_patience(const sockaddr_in& name) {
    for (const double stop = now_seconds() + kPatienceSeconds;;) {
        const int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0) return fd;
        if (errno != ECONNREFUSED || now_seconds() > stop) fail("connect");
        close(fd);
        usleep(100'000);
    }
}

class SocketChannel {
  public:
    explicit SocketChannel(int fd) : fd_(fd) {
        const int on = 1;
        setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    void write(const void* bytes, std::size_t size) {
        move_all(static_cast<const char*>(bytes), size, "send",
                 [this](const char* from, std::size_t left) { return send(fd_, from, left, MSG_NOSIGNAL); });
    }
    void read(void* bytes, std::size_t size) {
        move_all(static_cast<char*>(bytes), size, "recv",
                 [this](char* to, std::size_t left) { return recv(fd_, to, left, 0); });
    }

  private:
    int fd_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: %s answer|ask|load ADDRESS PORT [SECONDS]\n", argv[0]);
        return 2;
    }
    const sockaddr_in name = name_of(argv[2], argv[3]);
    const bool answers = strcmp(argv[1], "answer") == 0;
    const int fd = answers ? listen_and_accept(name) : connect_with_patience(name);
    SocketChannel channel(fd);
    Exchange(channel).play(answers, argv[4]);
    close(fd);
    return 0;
}
