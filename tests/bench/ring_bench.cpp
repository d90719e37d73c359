// How near the data path is to bare memory: two processes, one connection, no sleeping if it can be helped.
// Round trip of 64 bytes by spinning; throughput of 128 KiB writes for several ring sizes; memcpy beside it.
// Each figure is the median of kRuns. Prints a table to standard output.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "tests/support/blocking_end.hpp"
#include "tests/support/stream_memory.hpp"

namespace {

using namespace xylem;
using namespace xylem::testing_support;

constexpr int kRuns = 7;
constexpr std::size_t kMessageBytes = 64;
constexpr std::size_t kWriteBytes = 128 << 10;
constexpr std::uint64_t kTurns = 100'000;
constexpr std::uint64_t kBulkBytes = 1ULL << 30;
constexpr std::uint32_t kLongSpinNs = kMaxSpinNs;

template <class Measure>
double median(Measure measure) {
    std::array<double, kRuns> results;
    for (double& result : results) result = measure();
    std::sort(results.begin(), results.end());
    return results[kRuns / 2];
}

// Runs far(end) on side 1 in a child and near(end) here; returns near's duration in nanoseconds.
template <class Near, class Far>
double run_pair(std::uint64_t ring_bytes, std::uint32_t spin_ns, Near near, Far far) {
    const StreamMemory memory({{ring_bytes, ring_bytes}}, 0);
    LocalBells bells;
    const auto run = [&](unsigned side, auto script) {
        Stream stream = memory.open(side, bells);
        BlockingEnd end(
            stream, [&, side] { return make_sleeper(bells, side + 1); }, spin_ns);
        script(end);
    };
    const pid_t child = ::fork();
    if (child == 0) {
        run(1, far);
        ::_exit(0);
    }
    double ns = 0;
    run(0, [&](BlockingEnd& end) {
        near(end, 64);  // both are awake, pages are touched
        const std::uint64_t start_ns = now_ns();
        near(end, 0);
        ns = static_cast<double>(now_ns() - start_ns);
        end.stream().shutdown_write();
    });
    ::waitpid(child, nullptr, 0);
    return ns;
}

// Warm-up sends `few` units, the measured part all of them.
double round_trip_us(std::uint32_t spin_ns) {
    return run_pair(
               kDefaultRingSizeBytes, spin_ns,
               [](BlockingEnd& end, std::uint64_t few) {
                   std::byte message[kMessageBytes] = {};
                   for (std::uint64_t i = few != 0 ? few : kTurns; i > 0; --i) {
                       (void)end.send(message);
                       (void)end.receive_all(message);
                   }
               },
               [](BlockingEnd& end) {
                   std::byte message[kMessageBytes];
                   while (*end.receive_all(message) == kMessageBytes) (void)end.send(message);
               }) /
           static_cast<double>(kTurns) / 1e3;
}

double throughput_gb_per_s(std::uint64_t ring_bytes) {
    return static_cast<double>(kBulkBytes) /
           run_pair(
               ring_bytes, kDefaultSpinNs,
               [](BlockingEnd& end, std::uint64_t few) {
                   static std::array<std::byte, kWriteBytes> bytes;
                   bytes.fill(std::byte{1});  // pages of its own, not the zero page
                   for (std::uint64_t i = few != 0 ? few : kBulkBytes / kWriteBytes; i > 0; --i)
                       (void)end.send(bytes);
                   std::byte answer;
                   if (few == 0) end.stream().shutdown_write();
                   if (few == 0) (void)end.receive({&answer, 1});  // 0: the far end has read all
               },
               [](BlockingEnd& end) {
                   static std::array<std::byte, kWriteBytes> bytes;
                   while (*end.receive(bytes) > 0) {
                   }
                   end.stream().shutdown_write();
               });
}

double memcpy_gb_per_s(std::size_t length) {
    std::vector<std::byte> from(length, std::byte{1}), to(length);
    const std::uint64_t start_ns = now_ns();
    for (std::uint64_t done = 0; done < kBulkBytes; done += length) {
        std::memcpy(to.data(), from.data(), length);
        asm volatile("" ::"r"(to.data()) : "memory");
    }
    return static_cast<double>(kBulkBytes) / static_cast<double>(now_ns() - start_ns);
}

}  // namespace

int main() {
    std::printf("round trip, %zu B, spinning     %8.3f us\n", kMessageBytes,
                median([] { return round_trip_us(kLongSpinNs); }));
    std::printf("round trip, %zu B, spin 50 us   %8.3f us\n", kMessageBytes,
                median([] { return round_trip_us(kDefaultSpinNs); }));
    std::printf("memcpy, %zu KiB, warm          %8.2f GB/s\n", kWriteBytes >> 10,
                median([] { return memcpy_gb_per_s(kWriteBytes); }));
    std::printf("memcpy, 256 MiB, cold          %8.2f GB/s\n",
                median([] { return memcpy_gb_per_s(256 << 20); }));
    for (std::uint64_t ring_bytes = 64 << 10; ring_bytes <= 4 << 20; ring_bytes *= 2) {
        std::printf("stream, %zu KiB writes, ring %4llu KiB %8.2f GB/s\n", kWriteBytes >> 10,
                    static_cast<unsigned long long>(ring_bytes >> 10),
                    median([&] { return throughput_gb_per_s(ring_bytes); }));
        std::fflush(stdout);
    }
    return 0;
}
