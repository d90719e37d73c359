// A system call that no library sees: for asking the kernel what it knows of a socket, past every preloaded
// library, which may stand in front of syscall(2) as well.
#pragma once

#include <sys/socket.h>
#include <sys/syscall.h>

// The kernel's answer: a value, or -errno.
inline long kernel_call(long number, long a, long b, long c) {
#if defined(__x86_64__)
    long result;
    asm volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long x8 asm("x8") = number;
    register long x0 asm("x0") = a;
    register long x1 asm("x1") = b;
    register long x2 asm("x2") = c;
    asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
#else
#error "the system call convention of this processor is not known here"
#endif
}

// The kernel, asked directly, knows the peer of a TCP connection and none of any other.
inline bool kernel_knows_peer(int fd) {
    sockaddr_storage name{};
    socklen_t length = sizeof name;
    return kernel_call(SYS_getpeername, fd, reinterpret_cast<long>(&name), reinterpret_cast<long>(&length)) ==
           0;
}
