// Standard I/O on sockets of ours. Under a FILE, libc reads and writes by calls of its own, which nobody can
// stand in front of. So a FILE on a socket is a custom stream (fopencookie), whose functions make the public
// calls on the same number. It looks like any other FILE: fileno() answers, since the number is put where
// that looks (struct _IO_FILE is public and fixed), and seeking says ESPIPE.
//
// stdin, stdout and stderr are variables. When their number comes to name a socket (an inetd child, dup2),
// they are pointed to custom streams; output that was not written yet moves along, as it would reach the
// socket in the kernel. Such a stream serves whatever its number names later, so there is no way back.
// Pointers that somebody copied from the variables earlier still lead to the old stream.
#include "guest-lib/socket_file.hpp"

#include <stdio_ext.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace xylem {
namespace {

constexpr int kUnbuffered = 2;  // _IO_UNBUFFERED of glibc's libio.h

int number_of(void* cookie) { return static_cast<int>(reinterpret_cast<std::intptr_t>(cookie)); }

ssize_t read_some(void* cookie, char* buffer, size_t size) { return ::read(number_of(cookie), buffer, size); }

// A custom stream takes fewer bytes for an error; so this goes on until there is one.
ssize_t write_all(void* cookie, const char* bytes, size_t size) {
    size_t done = 0;
    while (done < size) {
        const ssize_t written = ::write(number_of(cookie), bytes + done, size - done);
        if (written < 0) break;
        done += static_cast<size_t>(written);
    }
    return static_cast<ssize_t>(done);
}

int cannot_seek(void*, off64_t*, int) {
    errno = ESPIPE;
    return -1;
}

int close_number(void* cookie) { return ::close(number_of(cookie)); }

// The stream's buffer mode, and what the program wrote and libc did not.
void move_output(FILE& from, FILE* to) {
    if ((from._flags & kUnbuffered) != 0) {
        ::setvbuf(to, nullptr, _IONBF, 0);
    } else if (::__flbf(&from) != 0) {
        ::setvbuf(to, nullptr, _IOLBF, 0);
    }
    const std::size_t pending = ::__fpending(&from);
    if (pending == 0) return;
    ::fwrite(from._IO_write_base, 1, pending, to);
    ::__fpurge(&from);
}

void replace(FILE*& stream, FILE*& ours, int fd, const char* mode) {
    if (stream == nullptr || stream == ours || ::fileno(stream) != fd) return;
    FILE* made = open_socket_file(fd, mode);
    if (made == nullptr) return;
    if (fd != STDIN_FILENO) move_output(*stream, made);
    ours = stream = made;
}

}  // namespace

FILE* open_socket_file(int fd, const char* mode) {
    auto* const cookie = reinterpret_cast<void*>(static_cast<std::intptr_t>(fd));
    FILE* file = ::fopencookie(cookie, mode, {read_some, write_all, cannot_seek, close_number});
    if (file != nullptr) file->_fileno = fd;
    return file;
}

void add_wide_part(FILE& file) {
    constexpr std::size_t kRoomBytes = 1024;  // glibc's struct _IO_wide_data has some 300 bytes
    auto* const none = reinterpret_cast<_IO_wide_data*>(~std::uintptr_t{0});
    if (file._wide_data != none) return;
    // Lives as long as the stream may; libc does not give it back.
    file._wide_data = static_cast<_IO_wide_data*>(::calloc(1, kRoomBytes));
}

void follow_standard_stream(int fd) {
    static constinit FILE* ours[3] = {};
    const int saved_errno = errno;
    if (fd == STDIN_FILENO) replace(stdin, ours[0], fd, "r");
    if (fd == STDOUT_FILENO) replace(stdout, ours[1], fd, "w");
    if (fd == STDERR_FILENO) replace(stderr, ours[2], fd, "w");
    errno = saved_errno;
}

}  // namespace xylem
