// What all workloads need.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

[[noreturn]] inline void fail(const char* what) {
    perror(what);
    exit(1);
}

inline double now_seconds() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}
