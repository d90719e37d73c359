// The workloads of exchange.hpp over libxenvchan, Xen's own library for rings between two domains.
//
//   vchan_exchange answer DOMAIN PATH          shows a channel to that domain at PATH, below data/ of the own
//   vchan_exchange ask DOMAIN PATH             all sizes, over the channel at that absolute PATH
//   vchan_exchange load DOMAIN PATH SECONDS    messages of 64 KiB one way
#include <string.h>
#include <unistd.h>

extern "C" {
#include <libxenvchan.h>
}

#include "eval/workloads/exchange.hpp"

namespace {

constexpr std::size_t kRingBytes = 512 << 10;
constexpr double kPatienceSeconds = 60;  // for the answering side

libxenvchan* client(int domain, const char* path) {
    for (const double stop = now_seconds() + kPatienceSeconds;;) {
        if (libxenvchan* found = libxenvchan_client_init(nullptr, domain, path)) return found;
        if (now_seconds() > stop) fail(path);
        usleep(100'000);
    }
}

class VchanChannel {
  public:
    explicit VchanChannel(libxenvchan* channel) : channel_(channel) { channel_->blocking = 1; }

    void write(const void* bytes, std::size_t size) {
        move_all(
            static_cast<const char*>(bytes), size, "libxenvchan_write",
            [this](const char* from, std::size_t left) { return libxenvchan_write(channel_, from, left); });
    }
    void read(void* bytes, std::size_t size) {
        move_all(static_cast<char*>(bytes), size, "libxenvchan_read",
                 [this](char* to, std::size_t left) { return libxenvchan_read(channel_, to, left); });
    }

  private:
    libxenvchan* channel_;
};

int usage(const char* program) {
    fprintf(stderr,
            "usage: %s answer DOMAIN PATH, or a line of these with DOMAIN PATH behind its first word\n%s",
            program, kExchangeUsage);
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) return usage(argv[0]);
    const int domain = atoi(argv[2]);
    const bool answers = strcmp(argv[1], "answer") == 0;
    libxenvchan* vchan = answers ? libxenvchan_server_init(nullptr, domain, argv[3], kRingBytes, kRingBytes)
                                 : client(domain, argv[3]);
    if (vchan == nullptr) fail("libxenvchan_server_init");
    VchanChannel channel(vchan);
    Exchange exchange(channel);
    if (answers) {
        exchange.answer();
    } else if (!exchange.ask(argv[1], argc - 4, argv + 4)) {
        return usage(argv[0]);
    }
    while (answers && libxenvchan_is_open(vchan) == 1) libxenvchan_wait(vchan);  // the other end closes first
    libxenvchan_close(vchan);
    return 0;
}
