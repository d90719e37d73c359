// Socket: moving bytes, with the waiting that the kernel would do.
// The stream moves what it can; if that is not enough and the socket blocks, the thread waits for its
// direction and tries again. A call that moved some bytes reports those, and leaves an error for the next.
#include <signal.h>
#include <unistd.h>

#include "guest-lib/bells.hpp"
#include "guest-lib/epoll_set.hpp"
#include "guest-lib/interruption.hpp"
#include "guest-lib/real_libc.hpp"
#include "guest-lib/socket.hpp"

namespace xylem {
namespace {

void raise_sigpipe() { system_call(SYS_tgkill, system_call(SYS_getpid), system_call(SYS_gettid), SIGPIPE); }

// One blocking call's view of time: the deadline is fixed when it first has to wait.
class CallDeadline {
  public:
    explicit CallDeadline(const AtomicU64& timeout_ns) : timeout_ns_(timeout_ns) {}
    bool has_timeout() const { return timeout_ns_.load_relaxed() != 0; }
    std::uint64_t get() {
        if (deadline_ns_ == 0) {
            const std::uint64_t timeout = timeout_ns_.load_relaxed();
            deadline_ns_ = timeout == 0 ? kForever : deadline_after(timeout);
        }
        return deadline_ns_;
    }

  private:
    const AtomicU64& timeout_ns_;
    std::uint64_t deadline_ns_ = 0;
};

// Waits for the direction; 0 to try again, else the errno to fail with.
int wait_or_errno(Socket& socket, Direction direction, int flags, CallDeadline& deadline) {
    Stream& stream = socket.stream;
    if ((flags & MSG_DONTWAIT) != 0 || stream.page().nonblocking.load_relaxed() != 0) {
        if (direction == Direction::writable) EpollSet::wants_writable(socket);
        return EAGAIN;
    }
    WaitPolicy& policy = direction == Direction::readable ? socket.read_policy : socket.write_policy;
    const auto make_sleeper = [&stream] { return ThreadSleeper(stream.page().peer_domain); };
    switch (wait_until_ready(stream, direction, policy, deadline.get(), make_sleeper)) {
        case WaitResult::ready:
            return 0;
        case WaitResult::timed_out:
            return EAGAIN;
        case WaitResult::interrupted:
            return !deadline.has_timeout() && restarts_after_signal() ? 0 : EINTR;
    }
    return EAGAIN;
}

// How many bytes a blocking receive waits for (net/core/sock.h, sock_rcvlowat).
std::size_t receive_target(const EndPage& page, std::size_t wanted, int flags) {
    if ((flags & MSG_WAITALL) != 0) return wanted;
    const std::size_t low_water = page.low_water_bytes.load_relaxed();
    return low_water < wanted ? low_water : wanted;
}

}  // namespace

ssize_t Socket::send(const iovec* vectors, std::size_t count, int flags) {
    if (!is_ring()) return fail_errno_with(ENOTCONN);
    IoCursor source(vectors, count);
    CallDeadline deadline(stream.page().send_timeout_ns);
    std::size_t total = 0;
    for (;;) {
        const Result<std::size_t> sent = stream.send_some(source);
        if (sent) {
            total += *sent;
            if (source.remaining() == 0) return static_cast<ssize_t>(total);
            continue;
        }
        const Error error = sent.error();
        int failure = error.sys_errno;
        if (error.kind == ErrorKind::would_block) {
            failure = wait_or_errno(*this, Direction::writable, flags, deadline);
            if (failure == 0) continue;
        }
        if (total > 0) {
            if (error.kind == ErrorKind::reset) stream.put_back_error(failure);
            return static_cast<ssize_t>(total);
        }
        if (error.kind == ErrorKind::closed && (flags & MSG_NOSIGNAL) == 0) raise_sigpipe();
        return fail_errno_with(failure);
    }
}

ssize_t Socket::receive(const iovec* vectors, std::size_t count, int flags) {
    if (!is_ring()) return fail_errno_with(ENOTCONN);
    if ((flags & MSG_OOB) != 0) return fail_errno_with(EINVAL);       // urgent bytes travel in the stream
    if ((flags & MSG_ERRQUEUE) != 0) return fail_errno_with(EAGAIN);  // nothing ever waits there
    IoCursor destination(vectors, count);
    CallDeadline deadline(stream.page().receive_timeout_ns);
    const ReceiveMode mode = (flags & MSG_PEEK) != 0    ? ReceiveMode::peek
                             : (flags & MSG_TRUNC) != 0 ? ReceiveMode::discard
                                                        : ReceiveMode::consume;
    const std::size_t target = receive_target(stream.page(), destination.remaining(), flags);
    std::size_t total = 0;
    for (;;) {
        const bool waits_for_nothing = destination.remaining() == 0 && total == 0;
        const Result<std::size_t> got =
            waits_for_nothing && !stream.is_ready(Direction::readable)
                ? Result<std::size_t>(fail(ErrorKind::would_block))
                : stream.receive_some(destination, mode, mode == ReceiveMode::peek ? total : 0);
        if (got) {
            total += *got;
            const bool wants_more = *got > 0 && total < target;
            if (!wants_more) return static_cast<ssize_t>(total);
            continue;
        }
        const Error error = got.error();
        int failure = error.sys_errno;
        if (error.kind == ErrorKind::would_block) {
            failure = wait_or_errno(*this, Direction::readable, flags, deadline);
            if (failure == 0) continue;
        }
        if (total > 0) {
            if (error.kind == ErrorKind::reset) stream.put_back_error(failure);
            return static_cast<ssize_t>(total);
        }
        return fail_errno_with(failure);
    }
}

int Socket::shutdown(int how) {
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR) return fail_errno_with(EINVAL);
    if (!is_ring() || stream.is_over()) return fail_errno_with(ENOTCONN);
    if (how != SHUT_RD) stream.shutdown_write();
    if (how != SHUT_WR) stream.shutdown_read();
    return 0;
}

}  // namespace xylem
