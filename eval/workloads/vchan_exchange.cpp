// The workloads of exchange.hpp over libxenvchan, Xen's own library for rings between two domains.
//
//   vchan_exchange answer DOMAIN PATH          shows a channel to that domain at PATH, below data/ of the own
//   one vchan_exchange ask DOMAIN PATH             all sizes, over the channel at that absolute PATH
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
        const char* next = static_cast<const char*>(bytes);
        for (std::size_t left = size; left > 0;) {
            const int sent = libxenvchan_write(channel_, next, left);
            if (sent <= 0) fail("libxenvchan_write");
            next += sent;
            left -= static_cast<std::size_t>(sent);
        }
    }
    void read(void* bytes, std::size_t size) {
        char* next = static_cast<char*>(bytes);
        for (std::size_t left = size; left > 0;) {
            const int got = libxenvchan_read(channel_, next, left);
            if (got <= 0) fail("libxenvchan_read");
            next += got;
            left -= static_cast<std::size_t>(got);
        }
    }

  private:
    libxenvchan* channel_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: %s answer|ask|load DOMAIN PATH [SECONDS]\n", argv[0]);
        return 2;
    }
    const int domain = atoi(argv[2]);
    const bool answers = strcmp(argv[1], "answer") == 0;
    libxenvchan* vchan = answers ? libxenvchan_server_init(nullptr, domain, argv[3], kRingBytes, kRingBytes)
                                 : client(domain, argv[3]);
    if (vchan == nullptr) fail("libxenvchan_server_init");
    VchanChannel channel(vchan);
    Exchange exchange(channel);
    if (answers) {
        exchange.answer();
        while (libxenvchan_is_open(vchan) == 1) libxenvchan_wait(vchan);  // the other end closes first
    } else if (argc > 4) {
        exchange.load(atof(argv[4]), 64 << 10);
    } else {
        exchange.ask();
    }
    libxenvchan_close(vchan);
    return 0;
}
