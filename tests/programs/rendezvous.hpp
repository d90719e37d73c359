// How two programs find each other: one listens on a port that the kernel chose and writes it into a file,
// the other reads it there. Whatever fails ends the program.
#pragma once

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "socket_name.hpp"

[[noreturn]] inline void fail(const char* what) {
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
    exit(2);
}

inline void write_port(const char* port_file, unsigned port) {
    const std::string unfinished = std::string(port_file) + "~";
    FILE* file = fopen(unfinished.c_str(), "w");
    if (file == nullptr) fail(port_file);
    fprintf(file, "%u\n", port);
    fclose(file);
    rename(unfinished.c_str(), port_file);
}

// Waits for the file.
inline unsigned read_port(const char* port_file) {
    for (int left = 4000; left > 0; --left) {
        unsigned port = 0;
        FILE* file = fopen(port_file, "r");
        if (file != nullptr) {
            const bool found = fscanf(file, "%u", &port) == 1;
            fclose(file);
            if (found) return port;
        }
        usleep(5000);
    }
    fail(port_file);
}

// A socket that listens there.
inline int listen_at(const Name& name, const char* port_file, int backlog) {
    const int listener = socket(name.storage.ss_family, SOCK_STREAM, 0);
    if (bind(listener, name.get(), name.length) != 0) fail("bind");
    if (listen(listener, backlog) != 0) fail("listen");
    write_port(port_file, local_name(listener).port());
    return listener;
}

inline int connect_to(const Name& name) {
    const int fd = socket(name.storage.ss_family, SOCK_STREAM, 0);
    if (connect(fd, name.get(), name.length) != 0) fail("connect");
    return fd;
}
