// sendfile to a ring socket: read a piece, send it, and move the file's position by what was taken.
#include <unistd.h>

#include "guest-lib/real_libc.hpp"
#include "guest-lib/socket.hpp"

using namespace xylem;

namespace {

constexpr std::size_t kPieceBytes = 32 << 10;

ssize_t send_file(Socket& socket, int in, off64_t* offset, std::size_t count) {
    off64_t position = offset != nullptr ? *offset : ::lseek64(in, 0, SEEK_CUR);
    if (position < 0) return fail_errno_with(offset == nullptr && errno == EBADF ? EBADF : EINVAL);
    std::size_t total = 0;
    char piece[kPieceBytes];
    while (total < count) {
        const std::size_t wanted = count - total < sizeof piece ? count - total : sizeof piece;
        const ssize_t got = to_libc(system_call(SYS_pread64, in, word(piece), static_cast<long>(wanted),
                                                static_cast<long>(position)));
        if (got <= 0) {
            if (got < 0 && total == 0) return -1;
            break;
        }
        const iovec vector{piece, static_cast<std::size_t>(got)};
        const ssize_t sent = socket.send(&vector, 1, 0);
        if (sent < 0) {
            if (total == 0) return -1;
            break;
        }
        total += static_cast<std::size_t>(sent);
        position += sent;
        if (sent < got) break;
    }
    if (offset != nullptr) {
        *offset = position;
    } else {
        ::lseek64(in, position, SEEK_SET);
    }
    return static_cast<ssize_t>(total);
}

}  // namespace

XYLEM_EXPORT(ssize_t, sendfile, (int out, int in, off_t* offset, size_t count)) {
    static_assert(sizeof(off_t) == sizeof(off64_t));
    if (Ref<Socket> socket = carried_socket(out)) return send_file(*socket, in, offset, count);
    return real().sendfile(out, in, offset, count);
}

XYLEM_EXPORT(ssize_t, sendfile64, (int out, int in, off64_t* offset, size_t count)) {
    if (Ref<Socket> socket = carried_socket(out)) return send_file(*socket, in, offset, count);
    return real().sendfile64(out, in, offset, count);
}
