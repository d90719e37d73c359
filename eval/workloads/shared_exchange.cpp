// The workloads of exchange.hpp between two processes of one parent, over what has no address: pipes, and a
// bare ring in shared memory, which is as near to the memory's own speed as two copies and a hand-over by
// spinning come.
//
//   shared_exchange pipe VERB WORD...
//   shared_exchange ring RING_BYTES VERB WORD...     a power of two
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "eval/workloads/exchange.hpp"

namespace {

class PipeChannel {
  public:
    PipeChannel(int from, int to) : from_(from), to_(to) {}

    void write(const void* bytes, std::size_t size) {
        move_all(static_cast<const char*>(bytes), size, "write",
                 [this](const char* from, std::size_t left) { return ::write(to_, from, left); });
    }
    void read(void* bytes, std::size_t size) {
        move_all(static_cast<char*>(bytes), size, "read",
                 [this](char* to, std::size_t left) { return ::read(from_, to, left); });
    }

  private:
    int from_;
    int to_;
};

// Free-running cursors, each on a cache line of its own and written by one side. A cursor is stored with
// release after the bytes were copied, and loaded with acquire before they are.
struct BareRing {
    alignas(64) std::uint64_t written;
    alignas(64) std::uint64_t read;
    alignas(64) char bytes[];
};

// The other side may follow this close, whatever the message: else the two would take turns with rings of a
// few messages.
constexpr std::size_t kPieceBytes = 64 << 10;

// Waits by spinning; a processor that two sides share is given away now and then, or they would wait for its
// next turn.
template <class Ready>
void spin_until(Ready ready) {
    constexpr unsigned kSpinsBeforeYield = 1 << 14;
    for (unsigned spins = 1; !ready(); ++spins) {
        if (spins % kSpinsBeforeYield == 0) sched_yield();
#if defined(__x86_64__)
        __builtin_ia32_pause();
#endif
    }
}

class RingChannel {
  public:
    RingChannel(BareRing* in, BareRing* out, std::size_t size) : in_(in), out_(out), size_(size) {}

    void write(const void* bytes, std::size_t count) {
        move_all(static_cast<const char*>(bytes), count, "ring", [this](const char* from, std::size_t left) {
            spin_until([this] { return out_->written - load(out_->read) < size_; });
            const std::size_t at = out_->written & (size_ - 1);
            const std::size_t room = size_ - (out_->written - load(out_->read));
            const std::size_t piece = std::min({left, room, size_ - at, kPieceBytes});
            memcpy(out_->bytes + at, from, piece);
            store(out_->written, out_->written + piece);
            return static_cast<ssize_t>(piece);
        });
    }
    void read(void* bytes, std::size_t count) {
        move_all(static_cast<char*>(bytes), count, "ring", [this](char* to, std::size_t left) {
            spin_until([this] { return load(in_->written) != in_->read; });
            const std::size_t at = in_->read & (size_ - 1);
            const std::size_t piece =
                std::min({left, load(in_->written) - in_->read, size_ - at, kPieceBytes});
            memcpy(to, in_->bytes + at, piece);
            store(in_->read, in_->read + piece);
            return static_cast<ssize_t>(piece);
        });
    }

  private:
    static std::uint64_t load(const std::uint64_t& cursor) {
        return __atomic_load_n(&cursor, __ATOMIC_ACQUIRE);
    }
    static void store(std::uint64_t& cursor, std::uint64_t value) {
        __atomic_store_n(&cursor, value, __ATOMIC_RELEASE);
    }

    BareRing* in_;
    BareRing* out_;
    std::size_t size_;
};

BareRing* make_ring(std::size_t size) {
    void* memory = mmap(nullptr, sizeof(BareRing) + size, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) fail("mmap");
    return static_cast<BareRing*>(memory);
}

int usage(const char* program) {
    fprintf(stderr, "usage: %s pipe|ring RING_BYTES, and one of these\n%s", program, kExchangeUsage);
    return 2;
}

// channel_of(answers): of that side. A child answers.
template <class ChannelOf>
bool play(ChannelOf channel_of, int count, char** words) {
    if (count < 1) return false;
    const pid_t child = fork_bound();
    auto channel = channel_of(child == 0);
    Exchange exchange(channel);
    if (child == 0) {
        exchange.answer();
        _exit(0);
    }
    const bool is_known = exchange.ask(words[0], count - 1, words + 1);
    if (!is_known) {
        const Run none{};
        channel.write(&none, sizeof none);
    }
    waitpid(child, nullptr, 0);
    return is_known;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1 && strcmp(argv[1], "pipe") == 0) {
        int there[2], back[2];
        if (pipe(there) != 0 || pipe(back) != 0) fail("pipe");
        const auto channel_of = [&](bool answers) {
            return answers ? PipeChannel(there[0], back[1]) : PipeChannel(back[0], there[1]);
        };
        return play(channel_of, argc - 2, argv + 2) ? 0 : usage(argv[0]);
    }
    if (argc > 2 && strcmp(argv[1], "ring") == 0) {
        const auto size = static_cast<std::size_t>(atoll(argv[2]));
        if (size < 64 || (size & (size - 1)) != 0) return usage(argv[0]);
        BareRing* there = make_ring(size);
        BareRing* back = make_ring(size);
        const auto channel_of = [&](bool answers) {
            return answers ? RingChannel(there, back, size) : RingChannel(back, there, size);
        };
        return play(channel_of, argc - 3, argv + 3) ? 0 : usage(argv[0]);
    }
    return usage(argv[0]);
}
