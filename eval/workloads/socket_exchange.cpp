// The workloads of exchange.hpp over a stream socket, whatever carries it.
//
//   socket_exchange answer ADDRESS PORT            accepts one connection and answers until it ends
//   socket_exchange ask ADDRESS PORT               all sizes
//   socket_exchange ask ADDRESS PORT latency:64    that one (or throughput:BYTES)
//   socket_exchange load ADDRESS PORT SECONDS      messages of 64 KiB one way
#include <netinet/tcp.h>
#include <string.h>

#include "eval/workloads/exchange.hpp"
#include "eval/workloads/sockets.hpp"

namespace {

int accept_one(const sockaddr_in& name) {
    const int listener = listen_at(name, 1);
    const int fd = accept_from(listener);
    close(listener);
    return fd;
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
        fprintf(stderr, "usage: %s answer|ask|load ADDRESS PORT [WORKLOAD:BYTES|SECONDS]\n", argv[0]);
        return 2;
    }
    const sockaddr_in name = name_of(argv[2], argv[3]);
    const bool answers = strcmp(argv[1], "answer") == 0;
    const int fd = answers ? accept_one(name) : connect_with_patience(name);
    SocketChannel channel(fd);
    Exchange(channel).play(answers, argv[4]);
    close(fd);
    return 0;
}
