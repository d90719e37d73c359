// The fortified entry points (_FORTIFY_SOURCE): check the room as libc does, then the plain call.
#include <stdlib.h>

#include "guest-lib/real_libc.hpp"

extern "C" void __chk_fail() __attribute__((noreturn));

using namespace xylem;

namespace {

void check_room(std::size_t wanted, std::size_t room) {
    if (wanted > room) ::__chk_fail();
}

}  // namespace

extern "C" {
ssize_t xylem_call_read(int fd, void* buffer, size_t size) __asm__("read");
ssize_t xylem_call_recv(int fd, void* buffer, size_t size, int flags) __asm__("recv");
ssize_t xylem_call_recvfrom(int fd, void* buffer, size_t size, int flags, sockaddr* from,
                            socklen_t* length) __asm__("recvfrom");
int xylem_call_poll(pollfd* items, nfds_t count, int timeout_ms) __asm__("poll");
int xylem_call_ppoll(pollfd* items, nfds_t count, const timespec* timeout,
                     const sigset_t* mask) __asm__("ppoll");
}

XYLEM_EXPORT(ssize_t, __read_chk, (int fd, void* buffer, size_t size, size_t room)) {
    check_room(size, room);
    return xylem_call_read(fd, buffer, size);
}

XYLEM_EXPORT(ssize_t, __recv_chk, (int fd, void* buffer, size_t size, size_t room, int flags)) {
    check_room(size, room);
    return xylem_call_recv(fd, buffer, size, flags);
}

XYLEM_EXPORT(ssize_t, __recvfrom_chk,
             (int fd, void* buffer, size_t size, size_t room, int flags, sockaddr* from, socklen_t* length)) {
    check_room(size, room);
    return xylem_call_recvfrom(fd, buffer, size, flags, from, length);
}

XYLEM_EXPORT(int, __poll_chk, (pollfd * items, nfds_t count, int timeout_ms, size_t room)) {
    check_room(count, room / sizeof *items);
    return xylem_call_poll(items, count, timeout_ms);
}

XYLEM_EXPORT(int, __ppoll_chk,
             (pollfd * items, nfds_t count, const timespec* timeout, const sigset_t* mask, size_t room)) {
    check_room(count, room / sizeof *items);
    return xylem_call_ppoll(items, count, timeout, mask);
}
