// What the memory itself does, in one thread. `memory ARRAY_MIB` prints the best of several runs:
//
//   bandwidth copy|scale|add|triad BYTES_PER_SECOND   the loops of STREAM (McCalpin): bytes read and written
//   memcpy BYTES BYTES_PER_SECOND                     bytes copied
#include <string.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "eval/workloads/measure.hpp"

namespace {

constexpr int kRuns = 5;
constexpr double kFactor = 3;
constexpr double kCopiedBytes = 512 << 20;
constexpr std::size_t kCopySizes[] = {4 << 10, 64 << 10, 512 << 10, 4 << 20, 256 << 20};

// The compiler may not leave out what nobody reads.
void keep(const void* bytes) { asm volatile("" ::"r"(bytes) : "memory"); }

template <class Loop>
double best_seconds(Loop loop) {
    double best = 1e9;
    for (int run = 0; run < kRuns; ++run) {
        const double start = now_seconds();
        loop();
        best = std::min(best, now_seconds() - start);
    }
    return best;
}

// arrays: how many of them the loop reads and writes.
template <class Loop>
void stream(const char* name, std::size_t length, unsigned arrays, Loop loop) {
    const double seconds = best_seconds([&] {
        for (std::size_t i = 0; i < length; ++i) loop(i);
    });
    printf("bandwidth %s %.0f\n", name, static_cast<double>(arrays * sizeof(double) * length) / seconds);
}

void copies(std::size_t size) {
    const std::vector<char> from(size, 'x');
    std::vector<char> to(size);
    const auto turns = static_cast<std::size_t>(kCopiedBytes / static_cast<double>(size));
    const double seconds = best_seconds([&] {
        for (std::size_t turn = 0; turn < turns; ++turn) {
            memcpy(to.data(), from.data(), size);
            keep(to.data());
        }
    });
    printf("memcpy %zu %.0f\n", size, static_cast<double>(turns * size) / seconds);
}

}  // namespace

int main(int argc, char** argv) {
    const long mib = argc == 2 ? atol(argv[1]) : 0;
    if (mib < 1) {
        fprintf(stderr, "usage: %s ARRAY_MIB\n", argv[0]);
        return 2;
    }
    const std::size_t length = (static_cast<std::size_t>(mib) << 20) / sizeof(double);
    std::vector<double> a(length, 1), b(length, 2), c(length, 0);
    double *pa = a.data(), *pb = b.data(), *pc = c.data();
    stream("copy", length, 2, [=](std::size_t i) { pc[i] = pa[i]; });
    keep(pc);
    stream("scale", length, 2, [=](std::size_t i) { pb[i] = kFactor * pc[i]; });
    keep(pb);
    stream("add", length, 3, [=](std::size_t i) { pc[i] = pa[i] + pb[i]; });
    keep(pc);
    stream("triad", length, 3, [=](std::size_t i) { pa[i] = pb[i] + kFactor * pc[i]; });
    keep(pa);
    for (const std::size_t size : kCopySizes) copies(size);
    return 0;
}
