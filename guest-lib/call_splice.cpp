// splice between a ring socket and a pipe, by copying. Either end may turn out to take less than the other
// gives, and what was taken from one must not be lost: so bytes are looked at first (tee of the pipe, a
// peek at the ring), offered to the other side, and taken away only as far as that accepted them. A pipe of
// our own stands between, so that the kernel itself decides what the program's pipe takes or gives, waits
// for it, and raises SIGPIPE. Arguments that splice refuses whatever the socket's state are the kernel's
// business.
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "guest-lib/cancellation.hpp"
#include "guest-lib/capture.hpp"
#include "guest-lib/interruption.hpp"
#include "guest-lib/poll_wait.hpp"
#include "guest-lib/private_fds.hpp"
#include "guest-lib/real_libc.hpp"
#include "guest-lib/socket.hpp"
#include "vsock-transport/base/clock.hpp"

using namespace xylem;

namespace {

constexpr unsigned kAllFlags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT;
constexpr std::size_t kPipePieceBytes = 32 << 10;  // half of what a pipe holds at first (pipe(7))

bool is_pipe(int fd) {
    struct stat status {};
    return ::fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

bool is_nonblocking(int fd) { return (system_call(SYS_fcntl, fd, F_GETFL) & O_NONBLOCK) != 0; }

class BetweenPipe {
  public:
    BetweenPipe() {
        int ends[2] = {-1, -1};
        if (system_call(SYS_pipe2, word(ends), O_CLOEXEC) != 0) return;
        out_ = make_private(UniqueFd(ends[0]));
        in_ = make_private(UniqueFd(ends[1]));
    }
    ~BetweenPipe() {
        close_private(out_);
        close_private(in_);
    }
    BetweenPipe(const BetweenPipe&) = delete;
    BetweenPipe& operator=(const BetweenPipe&) = delete;

    explicit operator bool() const { return out_ && in_; }
    int in() const { return in_.get(); }
    int out() const { return out_.get(); }

  private:
    UniqueFd out_;
    UniqueFd in_;
};

// Reads exactly what is known to be there.
void take(int pipe, char* room, std::size_t size) {
    while (size > 0) {
        const long got = system_call(SYS_read, pipe, word(room), static_cast<long>(size));
        if (got == -EINTR) continue;
        if (got <= 0) return;
        size -= static_cast<std::size_t>(got);
    }
}

// Copies what the pipe holds, without taking it; -errno, or 0 at its end.
long look_into(int pipe, char* room, std::size_t size, unsigned flags) {
    const BetweenPipe between;
    if (!between) return -ENOMEM;
    const long seen = system_call(SYS_tee, pipe, between.in(), static_cast<long>(size), flags);
    return seen <= 0 ? seen : system_call(SYS_read, between.out(), word(room), seen);
}

// Offers bytes to the pipe; how many it took, or -errno.
long offer_to(int pipe, const char* bytes, std::size_t size, unsigned flags) {
    const BetweenPipe between;
    if (!between) return -ENOMEM;
    const long filled = system_call(SYS_write, between.in(), word(bytes), static_cast<long>(size));
    return filled <= 0 ? filled : system_call(SYS_splice, between.out(), 0, pipe, 0, filled, flags);
}

ssize_t moved_or(std::size_t total, long failure) {
    return total > 0 ? static_cast<ssize_t>(total) : to_libc(failure);
}

// As fs/splice.c does: waits for the pipe only before the first byte, and for the socket as that blocks.
ssize_t from_pipe(int pipe, Socket& socket, std::size_t count, unsigned flags) {
    if (is_nonblocking(pipe)) flags |= SPLICE_F_NONBLOCK;
    std::size_t total = 0;
    char piece[kPipePieceBytes];
    while (total < count) {
        const unsigned now = total > 0 ? flags | SPLICE_F_NONBLOCK : flags;
        const long seen = look_into(pipe, piece, std::min(count - total, sizeof piece), now);
        if (seen <= 0) return moved_or(total, seen);
        const iovec vector{piece, static_cast<std::size_t>(seen)};
        const ssize_t sent = socket.send(&vector, 1, 0);
        if (sent < 0) return total > 0 ? static_cast<ssize_t>(total) : -1;
        take(pipe, piece, static_cast<std::size_t>(sent));
        total += static_cast<std::size_t>(sent);
        if (sent < seen) break;
    }
    return static_cast<ssize_t>(total);
}

// Waits until the pipe has room or no reader; 0, or the errno.
int await_room(int pipe, unsigned flags) {
    const Interruption interruption;
    for (;;) {
        pollfd item{pipe, POLLOUT, 0};
        const long ready = poll_raw(&item, 1, (flags & SPLICE_F_NONBLOCK) != 0 ? 0 : kForever);
        if (ready > 0) return 0;
        if (ready == 0) return EAGAIN;
        if (ready != -EINTR || interruption.is_due_after_sleep()) return static_cast<int>(-ready);
    }
}

// Waits for room first, then for bytes unless the socket is non-blocking; then takes what is there.
ssize_t to_pipe(Socket& socket, int pipe, std::size_t count, unsigned flags) {
    if (is_nonblocking(pipe)) flags |= SPLICE_F_NONBLOCK;
    const int failure = await_room(pipe, flags);
    if (failure != 0) return fail_errno_with(failure);
    std::size_t total = 0;
    char piece[kPipePieceBytes];
    while (total < count) {
        const iovec vector{piece, std::min(count - total, sizeof piece)};
        const ssize_t seen = socket.receive(&vector, 1, MSG_PEEK | (total > 0 ? MSG_DONTWAIT : 0));
        if (seen <= 0) return total > 0 ? static_cast<ssize_t>(total) : seen;
        const unsigned now = total > 0 ? flags | SPLICE_F_NONBLOCK : flags;
        const long moved = offer_to(pipe, piece, static_cast<std::size_t>(seen), now);
        if (moved <= 0) return moved_or(total, moved);
        const iovec taken{piece, static_cast<std::size_t>(moved)};
        // A capture wants to see them once more.
        (void)socket.receive(&taken, 1, MSG_DONTWAIT | (is_captured() ? 0 : MSG_TRUNC));
        total += static_cast<std::size_t>(moved);
        if (moved < seen) break;
    }
    return static_cast<ssize_t>(total);
}

}  // namespace

XYLEM_EXPORT(ssize_t, splice,
             (int in, off64_t* in_offset, int out, off64_t* out_offset, size_t count, unsigned flags)) {
    may_be_cancelled();
    const bool is_plain =
        count > 0 && in_offset == nullptr && out_offset == nullptr && (flags & ~kAllFlags) == 0;
    if (is_plain) {
        if (Ref<Socket> source = carried_socket(in); source && is_pipe(out)) {
            return to_pipe(*source, out, count, flags);
        }
        if (Ref<Socket> target = carried_socket(out); target && is_pipe(in)) {
            return from_pipe(in, *target, count, flags);
        }
    }
    return real().splice(in, in_offset, out, out_offset, count, flags);
}
