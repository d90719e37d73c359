// What it takes to wake up a process that sleeps: two of them in turn, over pipes. Prints `wakeup SECONDS`,
// half of a round trip, the best of several runs.
//
//   wakeup
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "eval/workloads/measure.hpp"

namespace {

constexpr int kRuns = 5;
constexpr int kTurns = 500;

void hand_over(int from, int to) {
    char byte = 0;
    if (from >= 0 && read(from, &byte, 1) != 1) fail("read");
    if (to >= 0 && write(to, &byte, 1) != 1) fail("write");
}

}  // namespace

int main() {
    int there[2];
    int back[2];
    if (pipe(there) != 0 || pipe(back) != 0) fail("pipe");
    const pid_t other = fork_bound();
    if (other == 0) {
        for (int turn = 0; turn < kRuns * kTurns; ++turn) hand_over(there[0], back[1]);
        _exit(0);
    }
    double best = 1e9;
    for (int run = 0; run < kRuns; ++run) {
        const double start = now_seconds();
        for (int turn = 0; turn < kTurns; ++turn) {
            hand_over(-1, there[1]);
            hand_over(back[0], -1);
        }
        best = std::min(best, (now_seconds() - start) / kTurns / 2);
    }
    waitpid(other, nullptr, 0);
    printf("wakeup %.9f\n", best);
    return 0;
}
