// Processes that die while they hold a lock. The writing end is held by a writer and by a second process that
// does nothing but take and give back the locks; so is the reading end. Writer and reader are killed at
// random moments and replaced. Each new one goes on where the end page says. The byte at each position is
// known, so one that was published before it was copied, or shown twice, is found.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "tests/support/blocking_end.hpp"
#include "tests/support/byte_pattern.hpp"
#include "tests/support/stream_memory.hpp"
#include "vsock-transport/stream/robust_lock.hpp"

namespace xylem::testing_support {

struct StressOptions {
    std::uint64_t bytes;
    std::uint64_t seed;
    std::uint64_t ring_bytes;  // 0: several
    bool kill_only;
    std::uint64_t kill_seconds;
};

class KillRun {
  public:
    KillRun(std::uint64_t ring_bytes, std::uint64_t seed)
        : memory_({{ring_bytes, ring_bytes}}, 0), pattern_(seed), random_(seed) {}

    // Says whether nothing was corrupted.
    bool run(std::uint64_t duration_ns) {
        const std::uint64_t deadline_ns = deadline_after(duration_ns);
        const pid_t bystanders[2] = {start([this] { touch_locks(0); }), start([this] { touch_locks(1); })};
        pid_t writer = start([this] { write_forever(); });
        pid_t reader = start([this] { read_forever(); });
        bool well = true;
        while (well && now_ns() < deadline_ns) {
            const timespec pause = to_timespec(random_.below(3 * kNsPerMs));
            ::nanosleep(&pause, nullptr);
            const bool is_writer = random_.below(2) == 0;
            pid_t& victim = is_writer ? writer : reader;
            well = kill_and_reap(victim);
            ++kills_;
            victim = is_writer ? start([this] { write_forever(); }) : start([this] { read_forever(); });
        }
        well = kill_and_reap(writer) && well;
        well = kill_and_reap(reader) && well;
        for (const pid_t bystander : bystanders) well = kill_and_reap(bystander) && well;
        return well;
    }

    std::uint64_t kills() const { return kills_; }
    std::uint64_t bytes() const { return memory_.map_page(1).as<EndPage>()->rx.tail.load_relaxed(); }

  private:
    template <class Script>
    pid_t start(Script script) {
        const pid_t child = ::fork();
        if (child != 0) return child;
        script();
        ::_exit(1);  // scripts end only when something is wrong
    }
    static bool kill_and_reap(pid_t child) {
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
        return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    }
    // A killed process does not give its doorbell back: these sleep without one, a millisecond at a time.
    class Napper final : public Sleeper {
        WaitToken next_token() override { return WaitToken(1, 0, 0); }
        WaitResult sleep(std::uint64_t) override {
            const timespec pause = to_timespec(50 * kNsPerUs);
            ::nanosleep(&pause, nullptr);
            return WaitResult::ready;
        }
    };
    static BlockingEnd blocking(Stream& stream) {
        return {stream, [] { return std::make_unique<Napper>(); }};
    }
    void write_forever() {
        Stream stream = memory_.open(0, bells_);
        BlockingEnd end = blocking(stream);
        Random random(now_ns());
        while (true) {
            // Only this process sends, so the own head is where the next byte goes.
            const auto bytes = pattern_.at(stream.page().tx.head.load_relaxed(), random.length(128 << 10));
            const iovec vector{const_cast<std::byte*>(bytes.data()), bytes.size()};
            IoCursor source(&vector, 1);
            const Result<std::size_t> sent = stream.send_some(source);
            if (!sent && sent.error().kind != ErrorKind::would_block) return complain("send", 0);
            if (!sent) end.wait(Direction::writable);
        }
    }
    void read_forever() {
        Stream stream = memory_.open(1, bells_);
        BlockingEnd end = blocking(stream);
        Random random(now_ns());
        std::vector<std::byte> buffer(128 << 10);
        while (true) {
            const std::uint64_t position = stream.page().rx.tail.load_relaxed();
            const auto got = end.receive(std::span(buffer).first(random.length(buffer.size())));
            if (!got) return complain("receive", position);
            if (!pattern_.matches(position, std::span(buffer).first(*got)))
                return complain("bytes", position);
        }
    }
    // Another holder of the same end: finds the locks of the dead and repairs.
    void touch_locks(unsigned side) {
        Stream stream = memory_.open(side, bells_);
        Random random(now_ns());
        while (true) {
            IoCursor nothing(nullptr, 0);
            if (!stream.send_some(nothing)) return complain("send of nothing", side);
            if (!stream.receive_some(nothing, ReceiveMode::peek)) return complain("receive of nothing", side);
            const timespec pause = to_timespec(random.below(300) * kNsPerUs);
            ::nanosleep(&pause, nullptr);
        }
    }
    static void complain(const char* what, std::uint64_t position) {
        std::fprintf(stderr, "FAILED: %s, byte %llu\n", what, static_cast<unsigned long long>(position));
    }

    StreamMemory memory_;
    LocalBells bells_;
    Pattern pattern_;
    Random random_;
    std::uint64_t kills_ = 0;
};

inline int run_kills(const StressOptions& options) {
    for (const std::uint64_t ring_bytes : {std::uint64_t{4096}, std::uint64_t{512} << 10}) {
        KillRun run(ring_bytes, options.seed);
        const bool well = run.run(options.kill_seconds * kNsPerSecond / 2);
        std::printf("stream_stress --kill: ring %llu KiB, %llu processes killed, %llu MiB read, %s\n",
                    static_cast<unsigned long long>(ring_bytes >> 10),
                    static_cast<unsigned long long>(run.kills()),
                    static_cast<unsigned long long>(run.bytes() >> 20), well ? "all well" : "FAILED");
        if (!well) return 1;
    }
    return 0;
}

}  // namespace xylem::testing_support
