// The workloads of exchange.hpp over a stream socket, whatever carries it; sockets.hpp says what ADDRESS is.
//
//   socket_exchange answer ADDRESS PORT            accepts one connection and answers until it ends
//   socket_exchange VERB ADDRESS PORT WORD...      asks, as exchange.hpp has it
#include "eval/workloads/exchange.hpp"
#include "eval/workloads/sockets.hpp"

namespace {

int accept_one(const Name& name) {
    const int listener = listen_at(name, 1);
    const int fd = accept_from(listener);
    close(listener);
    return fd;
}

class SocketChannel {
  public:
    explicit SocketChannel(int fd) : fd_(fd) { set_no_delay(fd); }

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

int usage(const char* program) {
    fprintf(stderr,
            "usage: %s answer ADDRESS PORT, or a line of these with ADDRESS PORT behind its first word\n%s",
            program, kExchangeUsage);
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) return usage(argv[0]);
    const Name name = name_of(argv[2], argv[3]);
    const bool answers = strcmp(argv[1], "answer") == 0;
    const int fd = answers ? accept_one(name) : connect_with_patience(name);
    SocketChannel channel(fd);
    Exchange exchange(channel);
    if (answers) {
        exchange.answer();
    } else if (!exchange.ask(argv[1], argc - 4, argv + 4)) {
        return usage(argv[0]);
    }
    close(fd);
    return 0;
}
