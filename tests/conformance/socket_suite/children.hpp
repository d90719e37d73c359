// Processes that a case starts.
#pragma once

#include <sys/wait.h>

#include "calls.hpp"

// Waits for its end; 128 and the signal's number if one ended it, as a shell says it.
inline int exit_code_of(pid_t child) {
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// In a child: a program that sends back what comes at once, and ends.
[[noreturn]] inline void become_echo(int fd) {
    dup2(fd, 0);
    dup2(fd, 1);
    close(fd);
    execl("/usr/bin/dd", "dd", "bs=4096", "count=1", "status=none", nullptr);
    _exit(127);
}

// The other side of such a program.
inline void talk_to_a_program(Side& side, int fd) {
    send_bytes(side, fd, 20);
    receive_bytes(side, fd, 20, MSG_WAITALL);
    receive_bytes(side, fd, 1);
}
