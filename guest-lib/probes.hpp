// Static probes of provider xylem, as <sys/sdt.h> makes them (libxylem(7), Probes): bpftrace, perf and gdb
// attach to them in programs that run. One that nobody attached to is a single no-operation instruction.
#pragma once

#if __has_include(<sys/sdt.h>)
#include <sys/sdt.h>
#define XYLEM_PROBE2(name, a, b) DTRACE_PROBE2(xylem, name, a, b)
#define XYLEM_PROBE3(name, a, b, c) DTRACE_PROBE3(xylem, name, a, b, c)
#else
#define XYLEM_PROBE2(name, a, b) \
    do {                         \
        (void)(a), (void)(b);    \
    } while (false)
#define XYLEM_PROBE3(name, a, b, c)      \
    do {                                 \
        (void)(a), (void)(b), (void)(c); \
    } while (false)
#endif
