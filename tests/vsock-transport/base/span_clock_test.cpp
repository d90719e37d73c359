// The clock of short spans, held against CLOCK_MONOTONIC.
#include "vsock-transport/base/span_clock.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace xylem {
namespace {

#if defined(__x86_64__)

void sleep_ns(std::uint64_t ns) {
    const timespec pause = to_timespec(ns);
    ::nanosleep(&pause, nullptr);
}

TEST(span_clock, is_the_kernels_until_it_knows_the_rate_and_goes_on_from_there) {
    SpanClock clock;
    const std::uint64_t before = now_ns();
    const std::uint64_t first = clock.now();
    EXPECT_GE(first, before);
    EXPECT_LE(first, now_ns());
    EXPECT_EQ(clock.ns_per_tick.load_relaxed(), 0U);
    sleep_ns(2 * SpanClock::kCalibrationNs);
    const std::uint64_t second = clock.now();
    EXPECT_NE(clock.ns_per_tick.load_relaxed(), 0U);
    const std::uint64_t third = clock.now();
    EXPECT_GE(third + SpanClock::kCalibrationNs, second) << "no jump from the one to the other";
    EXPECT_LE(third, second + kNsPerSecond);
}

TEST(span_clock, spans_are_those_of_the_kernels_clock) {
    SpanClock clock;
    clock.now();
    sleep_ns(2 * SpanClock::kCalibrationNs);
    clock.now();
    // Whoever is stopped between two clocks tries again.
    for (int attempt = 0; attempt < 50; ++attempt) {
        const std::uint64_t start = now_ns();
        const std::uint64_t span_start = clock.now();
        sleep_ns(20 * kNsPerMs);
        const std::uint64_t span = clock.now() - span_start;
        const std::uint64_t real = now_ns() - start;
        if (span <= real && real - span <= real / 20) return;
        if (span > real && span - real <= real / 20) return;
    }
    FAIL() << "more than a twentieth off, fifty times";
}

TEST(span_clock, threads_may_begin_it_together) {
    SpanClock clock;
    std::vector<std::thread> threads;
    AtomicU32 wrong;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            const std::uint64_t until = now_ns() + 4 * SpanClock::kCalibrationNs;
            while (now_ns() < until) {
                const std::uint64_t seen = clock.now();
                const std::uint64_t now = now_ns();
                if (seen > now + kNsPerSecond || seen + kNsPerSecond < now) wrong.fetch_add(1);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong.load_relaxed(), 0U);
    EXPECT_NE(clock.ns_per_tick.load_relaxed(), 0U);
}

#endif

}  // namespace
}  // namespace xylem
