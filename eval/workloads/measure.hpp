// What all workloads need.
#pragma once

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <csignal>

[[noreturn]] inline void fail(const char* what) {
    perror(what);
    exit(1);
}

inline double now_seconds() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Waits at a FIFO until somebody opens it for writing: all that wait there go on at once. The descriptor
// reads its end once nobody has it open for writing any more.
inline int pass_gate(const char* gate) {
    const int fd = open(gate, O_RDONLY);
    if (fd < 0) fail(gate);
    return fd;
}

// As fork(), but the child never outlives its parent, which may be killed in the midst of a run.
inline pid_t fork_bound() {
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child < 0) fail("fork");
    if (child != 0) return child;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail("prctl");
    if (getppid() != parent) _exit(1);  // it ended before it was asked for
    return 0;
}
