// fdopen, freopen and the dprintf family, where the descriptor is a socket of ours that may be, or become, a
// ring (socket_file.cpp). All other standard I/O works on what these return.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "guest-lib/enabled.hpp"
#include "guest-lib/real_libc.hpp"
#include "guest-lib/socket.hpp"
#include "guest-lib/socket_file.hpp"

extern "C" int __vasprintf_chk(char** text, int flag, const char* format, va_list arguments);

using namespace xylem;

namespace {

bool is_ours(int fd) {
    const Ref<Socket> socket = find<Socket>(fd);
    return socket && socket->state() != SocketState::kernel;
}

// The formatted text, which is freed here. length: what the formatting said.
int write_text(int fd, char* text, int length) {
    if (length < 0) return -1;
    int done = 0;
    while (done < length) {
        const ssize_t written = ::write(fd, text + done, static_cast<size_t>(length - done));
        if (written < 0) break;
        done += static_cast<int>(written);
    }
    const int saved_errno = errno;
    ::free(text);
    errno = saved_errno;
    return done == length ? length : -1;
}

// libc puts the new file under the old number by calls of its own. It also turns a custom stream into one of
// a file, for which it needs the wide-character part that custom streams are made without.
template <class Reopen>
FILE* reopen(FILE* stream, Reopen reopen_real) {
    const int fd = stream != nullptr ? ::fileno(stream) : -1;
    if (fd >= 0) add_wide_part(*stream);
    FILE* result = reopen_real();
    if (fd >= 0 && peek(fd) != nullptr && is_own_process()) leave(fd);
    return result;
}

}  // namespace

XYLEM_EXPORT(FILE*, fdopen, (int fd, const char* mode)) {
    return is_ours(fd) ? open_socket_file(fd, mode) : real().fdopen(fd, mode);
}

XYLEM_EXPORT(FILE*, freopen, (const char* path, const char* mode, FILE* stream)) {
    return reopen(stream, [&] { return real().freopen(path, mode, stream); });
}

XYLEM_EXPORT(FILE*, freopen64, (const char* path, const char* mode, FILE* stream)) {
    return reopen(stream, [&] { return real().freopen64(path, mode, stream); });
}

XYLEM_EXPORT(int, vdprintf, (int fd, const char* format, va_list arguments)) {
    if (!is_ours(fd)) return real().vdprintf(fd, format, arguments);
    char* text = nullptr;
    const int length = ::vasprintf(&text, format, arguments);
    return write_text(fd, text, length);
}

XYLEM_EXPORT(int, __vdprintf_chk, (int fd, int flag, const char* format, va_list arguments)) {
    if (!is_ours(fd)) return real().__vdprintf_chk(fd, flag, format, arguments);
    char* text = nullptr;
    const int length = ::__vasprintf_chk(&text, flag, format, arguments);
    return write_text(fd, text, length);
}

XYLEM_EXPORT(int, dprintf, (int fd, const char* format, ...)) {
    va_list arguments;
    va_start(arguments, format);
    const int result = ::vdprintf(fd, format, arguments);
    va_end(arguments);
    return result;
}

extern "C" int xylem_checked_vdprintf(int fd, int flag, const char* format,
                                      va_list arguments) __asm__("__vdprintf_chk");

XYLEM_EXPORT(int, __dprintf_chk, (int fd, int flag, const char* format, ...)) {
    va_list arguments;
    va_start(arguments, format);
    const int result = xylem_checked_vdprintf(fd, flag, format, arguments);
    va_end(arguments);
    return result;
}
