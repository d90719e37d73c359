// stream_stress [--bytes N[K|M|G]] [--seed N] [--ring SIZE] [--kill [--seconds N]]
//
// Two processes send to each other at once, each with a writing and a reading thread: pieces of random
// length, random spins and naps in between. Both sides sum up what they send and receive, and compare on the
// way and at the end. The bytes are shared out over several ring sizes. --kill: tests/stress/stream_kill.hpp.
//
// Exit code 0: nothing was lost, doubled, changed or moved. The seed is printed; the same seed sends the
// same.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "tests/stress/stream_kill.hpp"
#include "tests/support/blocking_end.hpp"
#include "tests/support/byte_pattern.hpp"
#include "tests/support/stream_memory.hpp"

namespace xylem::testing_support {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kGiB = 1 << 30;
constexpr std::uint64_t kMarkBytes = 8 * kMiB;  // how often sums are compared on the way
constexpr std::size_t kMarks = 1 << 12;
constexpr std::size_t kLongest = 512 << 10;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t kDefaultBytes = kGiB / 2;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
constexpr std::uint64_t kDefaultBytes = kGiB / 2;
#else
constexpr std::uint64_t kDefaultBytes = 10 * kGiB;
#endif
#else
constexpr std::uint64_t kDefaultBytes = 10 * kGiB;
#endif

// What the processes tell each other beside the rings. [side] is the sending side.
struct Ledger {
    AtomicU64 sums[2][kMarks];  // of the first (i + 1) * kMarkBytes bytes; 0 = not there yet
    AtomicU64 sent[2];
    AtomicU64 received[2];
    AtomicU64 last_sum[2];
    AtomicU32 mismatches;
};

// A sum of a stream that is also noted or compared at each mark.
template <class AtMark>
void sum_with_marks(Checksum& sum, std::span<const std::byte> bytes, AtMark at_mark) {
    while (!bytes.empty()) {
        const std::uint64_t to_mark = kMarkBytes - sum.length() % kMarkBytes;
        const std::size_t n = std::min<std::uint64_t>(bytes.size(), to_mark);
        sum.add(bytes.first(n));
        bytes = bytes.subspan(n);
        if (sum.length() % kMarkBytes == 0) at_mark(sum.length() / kMarkBytes - 1);
    }
}

void idle_a_little(Random& random) {
    const std::uint64_t dice = random.below(1'000);
    if (dice < 2) {
        const timespec time = to_timespec(random.below(200) * kNsPerUs);
        ::nanosleep(&time, nullptr);
    } else if (dice < 50) {
        for (std::uint64_t i = random.below(2'000); i > 0; --i) cpu_relax();
    }
}

[[noreturn]] void stop(Ledger& ledger, const char* what, unsigned side, std::uint64_t position) {
    std::fprintf(stderr, "\nFAILED: %s, stream of side %u, byte %llu\n", what, side,
                 static_cast<unsigned long long>(position));
    ledger.mismatches.fetch_add(1);
    ::_exit(1);
}

void write_all(BlockingEnd end, unsigned side, std::uint64_t total, std::uint64_t seed, Ledger& ledger) {
    const Pattern pattern(seed);
    Random random(seed);
    Checksum sum;
    while (sum.length() < total) {
        const auto bytes =
            pattern.at(random.next(), std::min<std::uint64_t>(random.length(kLongest), total - sum.length()));
        // The sum first: the reader may be faster than this thread after the send.
        sum_with_marks(sum, bytes, [&](std::uint64_t mark) {
            if (mark < kMarks) ledger.sums[side][mark].store_release(sum.value());
        });
        if (sum.length() == total) ledger.last_sum[side].store_release(sum.value());
        const Result<std::size_t> sent = end.send(bytes);
        if (!sent) stop(ledger, "send", side, sum.length());
        ledger.sent[side].store_relaxed(sum.length());
        idle_a_little(random);
    }
    end.stream().shutdown_write();
}

void read_all(BlockingEnd end, unsigned side, std::uint64_t total, std::uint64_t seed, Ledger& ledger) {
    std::vector<std::byte> buffer(kLongest);
    Random random(~seed);
    Checksum sum;
    while (true) {
        const Result<std::size_t> got = end.receive(std::span(buffer).first(random.length(kLongest)));
        if (!got) stop(ledger, "receive", side, sum.length());
        if (*got == 0) break;
        sum_with_marks(sum, std::span(buffer).first(*got), [&](std::uint64_t mark) {
            if (mark < kMarks && ledger.sums[side][mark].load_acquire() != sum.value()) {
                stop(ledger, "sum differs before the mark at", side, sum.length());
            }
        });
        ledger.received[side].store_relaxed(sum.length());
        idle_a_little(random);
    }
    if (sum.length() != total) stop(ledger, "stream is too short or too long", side, sum.length());
    if (sum.value() != ledger.last_sum[side].load_acquire()) stop(ledger, "last sum", side, sum.length());
}

class Round {
  public:
    Round(const SlabGeometry& geometry, std::uint64_t bytes, std::uint64_t seed)
        : memory_(geometry, kDefaultSpinNs), bytes_per_side_(bytes / 2), seed_(seed) {
        void* shared =
            ::mmap(nullptr, sizeof(Ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (shared == MAP_FAILED) std::abort();
        ledger_memory_ = Mapping(shared, sizeof(Ledger));
        ledger_ = new (shared) Ledger();
    }

    // Says whether all is well. Adds to the counters of both ends.
    bool run() {
        const pid_t children[2] = {start(0), start(1)};
        bool well = true;
        std::uint64_t next_report_ns = deadline_after(kNsPerSecond);
        for (int left = 2; left > 0;) {
            int status = 0;
            const pid_t ended = ::waitpid(-1, &status, WNOHANG);
            if (ended == children[0] || ended == children[1]) {
                --left;
                if (status == 0) continue;
                well = false;
                for (const pid_t child : children) {
                    if (child != ended) ::kill(child, SIGKILL);
                }
            }
            const timespec pause = to_timespec(5 * kNsPerMs);
            ::nanosleep(&pause, nullptr);
            if (now_ns() < next_report_ns) continue;
            next_report_ns = deadline_after(kNsPerSecond);
            report();
        }
        return well && ledger_->mismatches.load_acquire() == 0;
    }

    EndCounters& counters(unsigned side) {
        pages_[side] = memory_.map_page(side);
        return pages_[side].as<EndPage>()->counters;
    }

  private:
    pid_t start(unsigned side) {
        const pid_t child = ::fork();
        if (child != 0) return child;
        Stream stream = memory_.open(side, bells_);
        const auto end = [&] { return BlockingEnd(stream, [&] { return make_sleeper(bells_, side + 1); }); };
        std::thread writer([&] { write_all(end(), side, bytes_per_side_, seed_ + side, *ledger_); });
        read_all(end(), 1 - side, bytes_per_side_, seed_ + 1 - side, *ledger_);
        writer.join();
        stream.close(CloseMode::orderly);
        ::_exit(0);
    }
    void report() const {
        std::fprintf(stderr, "  0->1 %llu MiB, 1->0 %llu MiB of %llu MiB\n",
                     static_cast<unsigned long long>(ledger_->received[0].load_relaxed() / kMiB),
                     static_cast<unsigned long long>(ledger_->received[1].load_relaxed() / kMiB),
                     static_cast<unsigned long long>(bytes_per_side_ / kMiB));
    }

    StreamMemory memory_;
    LocalBells bells_;
    Mapping ledger_memory_;
    Mapping pages_[2];
    Ledger* ledger_;
    std::uint64_t bytes_per_side_;
    std::uint64_t seed_;
};

struct Totals {
    std::uint64_t kicks = 0, suppressed = 0, sleeps = 0, spins_won = 0, spins_lost = 0, ring_full = 0;

    void add(const EndCounters& counters) {
        kicks += counters.kicks_sent.load_relaxed();
        suppressed += counters.kicks_suppressed.load_relaxed();
        sleeps += counters.sleeps.load_relaxed();
        spins_won += counters.spins_won.load_relaxed();
        spins_lost += counters.spins_lost.load_relaxed();
        ring_full += counters.ring_full.load_relaxed();
    }
};

int run_transfers(const StressOptions& options) {
    static constexpr SlabGeometry kShapes[] = {{{512 << 10, 512 << 10}},
                                               {{4096, 4096}},
                                               {{64 << 10, 1 << 20}},
                                               {{4 << 20, 4 << 20}},
                                               {{kMaxRingSizeBytes, kMinRingSizeBytes}}};
    static constexpr std::uint64_t kShare[] = {40, 3, 25, 27, 5};  // per cent of the bytes
    Totals totals;
    const std::uint64_t start_ns = now_ns();
    const std::size_t rounds = options.ring_bytes != 0 ? 1 : std::size(kShapes);
    for (std::size_t i = 0; i < rounds; ++i) {
        const SlabGeometry shape =
            options.ring_bytes != 0 ? SlabGeometry{{options.ring_bytes, options.ring_bytes}} : kShapes[i];
        const std::uint64_t bytes = options.ring_bytes != 0 ? options.bytes : options.bytes / 100 * kShare[i];
        const std::uint64_t round_ns = now_ns();
        Round round(shape, bytes, options.seed + 2 * i);
        if (!round.run()) return 1;
        totals.add(round.counters(0));
        totals.add(round.counters(1));
        std::printf("rings %llu and %llu KiB: %llu MiB, %.2f GB/s\n",
                    static_cast<unsigned long long>(shape.ring_size_bytes[0] >> 10),
                    static_cast<unsigned long long>(shape.ring_size_bytes[1] >> 10),
                    static_cast<unsigned long long>(bytes / kMiB),
                    static_cast<double>(bytes) / static_cast<double>(now_ns() - round_ns));
    }
    const auto ns = static_cast<double>(now_ns() - start_ns);
    std::printf("stream_stress: %.2f GB in %.1f s, %.2f GB/s, seed %llu, kicks %llu (%llu suppressed), ",
                static_cast<double>(options.bytes) / 1e9, ns / 1e9, static_cast<double>(options.bytes) / ns,
                static_cast<unsigned long long>(options.seed), static_cast<unsigned long long>(totals.kicks),
                static_cast<unsigned long long>(totals.suppressed));
    std::printf("sleeps %llu, spins won %llu, lost %llu, ring full %llu\n",
                static_cast<unsigned long long>(totals.sleeps),
                static_cast<unsigned long long>(totals.spins_won),
                static_cast<unsigned long long>(totals.spins_lost),
                static_cast<unsigned long long>(totals.ring_full));
    return 0;
}

std::uint64_t parse_size(const char* text) {
    char* unit = nullptr;
    const std::uint64_t number = std::strtoull(text, &unit, 10);
    switch (*unit) {
        case 'K':
            return number << 10;
        case 'M':
            return number << 20;
        case 'G':
            return number << 30;
        default:
            return number;
    }
}

}  // namespace
}  // namespace xylem::testing_support

int main(int argc, char** argv) {
    using namespace xylem::testing_support;
    StressOptions options{kDefaultBytes, xylem::now_ns(), 0, false, 4};
    for (int i = 1; i < argc; ++i) {
        const bool has_value = i + 1 < argc;
        if (std::strcmp(argv[i], "--kill") == 0) {
            options.kill_only = true;
        } else if (std::strcmp(argv[i], "--bytes") == 0 && has_value) {
            options.bytes = parse_size(argv[++i]);
        } else if (std::strcmp(argv[i], "--ring") == 0 && has_value) {
            options.ring_bytes = parse_size(argv[++i]);
        } else if (std::strcmp(argv[i], "--seed") == 0 && has_value) {
            options.seed = std::strtoull(argv[++i], nullptr, 10);
        } else if (std::strcmp(argv[i], "--seconds") == 0 && has_value) {
            options.kill_seconds = std::strtoull(argv[++i], nullptr, 10);
        } else {
            std::fprintf(stderr, "%s [--bytes N[K|M|G]] [--ring SIZE] [--seed N] [--kill] [--seconds N]\n",
                         argv[0]);
            return 2;
        }
    }
    std::printf("seed %llu\n", static_cast<unsigned long long>(options.seed));
    std::fflush(stdout);
    if (!options.kill_only && run_transfers(options) != 0) return 1;
    return run_kills(options);
}
