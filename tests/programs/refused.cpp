// Connects that are refused, and how long the caller waits to hear it.
//
//   refused ADDRESS PORT COUNT    one after the other; prints `refused MEDIAN_US LONGEST_US`
//
// Another exit code than 0: one of them was not.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "rendezvous.hpp"

namespace {

double now_us() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) * 1e-3;
}

double refusal_us(const Name& name) {
    const double start_us = now_us();
    const int fd = socket(name.storage.ss_family, SOCK_STREAM, 0);
    if (connect(fd, name.get(), name.length) == 0) errno = 0;
    if (errno != ECONNREFUSED) fail("connect");
    close(fd);
    return now_us() - start_us;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: refused ADDRESS PORT COUNT\n");
        return 2;
    }
    const Name name = name_of(argv[1], static_cast<unsigned>(atoi(argv[2])));
    std::vector<double> took_us(static_cast<std::size_t>(std::max(1, atoi(argv[3]))));
    for (double& each_us : took_us) each_us = refusal_us(name);
    std::sort(took_us.begin(), took_us.end());
    printf("refused %.0f %.0f\n", took_us[took_us.size() / 2], took_us.back());
    return 0;
}
