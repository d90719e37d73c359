// What the programs about AF_VSOCK share: names, sockets, and lines that tests/guest-lib/vsock.sh counts.
//
//   PROGRAM CID stand-in|kernel|reference   the program's cid is CID, and its descriptors are stand-ins or
//                                           AF_VSOCK sockets of the kernel. reference: the kernel plays,
//                                           without the library
//
// A case is a function that expects; it is one line: "ok - NAME", "not ok - NAME: the first thing that was
// wrong", or "skip - NAME".
#pragma once

#include <errno.h>
#include <linux/seccomp.h>
#include <linux/vm_sockets.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "bytes.hpp"

inline constexpr unsigned kAnyCid = VMADDR_CID_ANY;
inline constexpr unsigned kAnyPort = VMADDR_PORT_ANY;

inline unsigned own_cid;         // the domain that the program runs in
inline std::string first_fault;  // of the case that runs

template <class Number>
void expect_equal(const char* what, Number got, Number wanted, int line) {
    if (got == wanted || !first_fault.empty()) return;
    first_fault = std::string(what) + " is " + std::to_string(got) + ", not " + std::to_string(wanted) +
                  " (line " + std::to_string(line) + ")";
}
inline void expect_error(const char* what, long result, int wanted, int line) {
    const int error = errno;
    if (!first_fault.empty() || (result == -1 && error == wanted)) return;
    first_fault = std::string(what) + " = " + std::to_string(result) +
                  (result == -1 ? std::string(" ") + strerrorname_np(error) : "") + ", not " +
                  strerrorname_np(wanted) + " (line " + std::to_string(line) + ")";
}
#define EXPECT_EQ(got, wanted) \
    expect_equal(#got, static_cast<long long>(got), static_cast<long long>(wanted), __LINE__)
#define EXPECT_ERROR(call, wanted) expect_error(#call, static_cast<long>(call), wanted, __LINE__)

enum class Where {
    anywhere,  // the kernel's own AF_VSOCK behaves so, too
    on_rings,
    on_stand_ins,
    on_kernel_sockets,
};
struct Case {
    const char* name;
    void (*play)();
    Where where;
};

inline bool run_case(const Case& item) {
    first_fault.clear();
    item.play();
    const bool is_right = first_fault.empty();
    printf("%s - %s%s%s\n", is_right ? "ok" : "not ok", item.name, is_right ? "" : ": ", first_fault.c_str());
    fflush(stdout);
    return is_right;
}

template <std::size_t count>
int run_cases(const Case (&cases)[count], int argc, char** argv) {
    if (argc != 3) return 2;
    const bool is_reference = strcmp(argv[2], "reference") == 0;
    const bool is_stand_in = strcmp(argv[2], "stand-in") == 0;
    if (is_stand_in && prctl(PR_GET_SECCOMP) != SECCOMP_MODE_FILTER) return 2;  // see without_vsock.c
    own_cid = static_cast<unsigned>(atoi(argv[1]));
    int failed = 0;
    for (const Case& item : cases) {
        const bool fits = item.where == Where::anywhere ||
                          (!is_reference && (item.where == Where::on_rings ||
                                             (item.where == Where::on_stand_ins) == is_stand_in));
        if (!fits) printf("skip - %s\n", item.name);
        if (fits) failed += run_case(item) ? 0 : 1;
    }
    return failed == 0 ? 0 : 1;
}

struct VmName : sockaddr_vm {
    VmName(unsigned cid = 0, unsigned port = 0) : sockaddr_vm{} {
        svm_family = AF_VSOCK;
        svm_cid = cid;
        svm_port = port;
    }
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(this); }
    sockaddr* get() { return reinterpret_cast<sockaddr*>(this); }
    socklen_t length = sizeof(sockaddr_vm);
};

inline VmName local_name(int fd) {
    VmName name;
    EXPECT_EQ(getsockname(fd, name.get(), &name.length), 0);
    EXPECT_EQ(name.length, sizeof(sockaddr_vm));
    EXPECT_EQ(name.svm_family, AF_VSOCK);
    return name;
}
inline VmName peer_name(int fd) {
    VmName name;
    EXPECT_EQ(getpeername(fd, name.get(), &name.length), 0);
    return name;
}

inline int bind_to(int fd, unsigned cid, unsigned port) {
    const VmName name(cid, port);
    return bind(fd, name.get(), sizeof(sockaddr_vm));
}
inline int connect_to(int fd, unsigned cid, unsigned port) {
    const VmName name(cid, port);
    return connect(fd, name.get(), sizeof(sockaddr_vm));
}
inline int stream(int flags = 0) {
    const int fd = socket(AF_VSOCK, SOCK_STREAM | flags, 0);
    if (fd < 0) EXPECT_EQ(fd, 0);
    return fd;
}
inline int bound_stream(unsigned cid = kAnyCid, unsigned port = kAnyPort) {
    const int fd = stream();
    EXPECT_EQ(bind_to(fd, cid, port), 0);
    return fd;
}
inline int listener(int backlog = 8, unsigned cid = kAnyCid) {
    const int fd = bound_stream(cid);
    EXPECT_EQ(listen(fd, backlog), 0);
    return fd;
}

// A connection within the program's own domain.
struct Pair {
    explicit Pair(int fd = listener()) : at(fd), port(local_name(fd).svm_port), near(stream()) {
        EXPECT_EQ(connect_to(near, own_cid, port), 0);
        VmName from;
        far = accept(at, from.get(), &from.length);
        EXPECT_EQ(far >= 0, true);
        EXPECT_EQ(from.svm_cid, own_cid);
    }
    ~Pair() {
        for (int fd : {at, near, far}) close(fd);
    }
    Pair(const Pair&) = delete;
    Pair& operator=(const Pair&) = delete;

    int at;
    unsigned port;
    int near;
    int far = -1;
};

inline int events_of(int fd, int wanted = POLLIN | POLLOUT | POLLRDHUP) {
    pollfd item{fd, static_cast<short>(wanted), 0};
    poll(&item, 1, 0);
    return item.revents;
}

inline int number_option(int fd, int name) {
    int value = -1;
    socklen_t length = sizeof value;
    EXPECT_EQ(getsockopt(fd, SOL_SOCKET, name, &value, &length), 0);
    return value;
}

inline std::string receive_all(int fd) {
    std::string bytes;
    char piece[16384];
    for (ssize_t got; (got = read(fd, piece, sizeof piece)) > 0;)
        bytes.append(piece, static_cast<std::size_t>(got));
    return bytes;
}
