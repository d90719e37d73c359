// Socket: moving bytes, with the waiting that the kernel would do.
// The stream moves what it can; if that is not enough and the socket blocks, the thread waits for its
// direction and tries again. A call that moved some bytes reports those, and leaves an error for the next.
#include <signal.h>
#include <unistd.h>

#include "guest-lib/bells.hpp"
#include "guest-lib/cancellation.hpp"
#include "guest-lib/capture.hpp"
#include "guest-lib/epoll_set.hpp"
#include "guest-lib/interruption.hpp"
#include "guest-lib/probes.hpp"
#include "guest-lib/real_libc.hpp"
#include "guest-lib/socket.hpp"

namespace xylem {
namespace {

void raise_sigpipe() { system_call(SYS_tgkill, system_call(SYS_getpid), system_call(SYS_gettid), SIGPIPE); }

// What ends one blocking call's waiting: a deadline, fixed when it first has to wait, and signals.
class Patience {
  public:
    explicit Patience(const AtomicU64& timeout_ns) : timeout_ns_(timeout_ns) {}
    const Interruption& interruption() const { return interruption_; }
    // A call with a time-out is not restarted whatever the handler asked for (net/core/sock.h,
    // sock_intr_errno).
    bool ends_after_signal() const {
        return timeout_ns_.load_relaxed() != 0 || interruption_.is_due_after_sleep();
    }
    std::uint64_t deadline() {
        if (deadline_ns_ == 0) {
            const std::uint64_t timeout = timeout_ns_.load_relaxed();
            deadline_ns_ = timeout == 0 ? kForever : deadline_after(timeout);
        }
        return deadline_ns_;
    }

  private:
    const AtomicU64& timeout_ns_;
    const Interruption interruption_;
    std::uint64_t deadline_ns_ = 0;
};

struct Wait {
    Socket& socket;
    Direction direction;
    std::uint64_t seen_bytes;
    std::uint64_t deadline_ns;
    const Interruption& interruption;
};

long wait_for(void* context) {
    const Wait& wait = *static_cast<Wait*>(context);
    Socket& socket = wait.socket;
    WaitPolicy& policy = wait.direction == Direction::readable ? socket.read_policy : socket.write_policy;
    const auto make_sleeper = [&] {
        return ThreadSleeper(socket.stream.page().peer_domain, wait.interruption);
    };
    return static_cast<long>(wait_until_ready(socket.stream, wait.direction, policy, wait.deadline_ns,
                                              make_sleeper, wait.seen_bytes));
}

// Waits for the direction; 0 to try again, else the errno to fail with. seen_bytes: of what is there, by a
// peek.
int wait_or_errno(Socket& socket, Direction direction, int flags, Patience& patience,
                  std::uint64_t seen_bytes = 0) {
    Stream& stream = socket.stream;
    if ((flags & MSG_DONTWAIT) != 0 || stream.page().nonblocking.load_relaxed() != 0) {
        if (direction == Direction::writable) EpollSet::wants_writable(socket);
        return EAGAIN;
    }
    Wait wait{socket, direction, seen_bytes, patience.deadline(), patience.interruption()};
    const int is_writer = direction == Direction::writable ? 1 : 0;
    XYLEM_PROBE2(wait_begin, socket.end_id, is_writer);
    const auto result = static_cast<WaitResult>(sleep_holding(socket, true, wait_for, &wait));
    XYLEM_PROBE3(wait_end, socket.end_id, is_writer, static_cast<int>(result));
    switch (result) {
        case WaitResult::ready:
            return 0;
        case WaitResult::timed_out:
            return EAGAIN;
        case WaitResult::interrupted:
            return patience.ends_after_signal() ? EINTR : 0;
    }
    return EAGAIN;
}

// How many bytes a blocking receive waits for (net/core/sock.h, sock_rcvlowat).
std::size_t receive_target(const EndPage& page, std::size_t wanted, int flags) {
    if ((flags & MSG_WAITALL) != 0) return wanted;
    const std::size_t low_water = page.low_water_bytes.load_relaxed();
    return low_water < wanted ? low_water : wanted;
}

// Nowhere in a stream: nothing was moved that the peer gets.
constexpr Cursor kNoPlace = ~0ULL;

// What was peeked at comes once more; what is thrown away is where the caller's buffers do not have it.
void capture_arrival(const Socket& socket, CapturedMove moved, ReceiveMode mode) {
    if (mode == ReceiveMode::peek || mode == ReceiveMode::measure) return;
    if (moved.length == 0) {
        if (socket.stream.has_seen_end()) capture_event(socket, CaptureKind::peer_finished);
        return;
    }
    if (mode == ReceiveMode::discard) moved.count = 0;
    capture_received(socket, moved);
}

}  // namespace

ssize_t Socket::send(const iovec* vectors, std::size_t count, int flags) {
    if (!is_ring()) return fail_errno_with(ENOTCONN);
    IoCursor source(vectors, count);
    Patience patience(stream.page().send_timeout_ns);
    std::size_t total = 0;
    for (;;) {
        const std::uint64_t captured_at_ns = capture_time_ns();
        Cursor place = kNoPlace;
        const Result<std::size_t> sent = stream.send_some(source, &place);
        if (sent) {
            XYLEM_PROBE2(send, end_id, *sent);
            if (captured_at_ns != 0 && place != kNoPlace)
                capture_sent(*this, {vectors, count, total, *sent, place}, captured_at_ns);
            total += *sent;
            if (source.remaining() == 0) return static_cast<ssize_t>(total);
            continue;
        }
        const Error error = sent.error();
        int failure = error.sys_errno;
        if (error.kind == ErrorKind::would_block) {
            failure = wait_or_errno(*this, Direction::writable, flags, patience);
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
    Patience patience(stream.page().receive_timeout_ns);
    const bool peeks = (flags & MSG_PEEK) != 0;
    const bool copies = (flags & MSG_TRUNC) == 0;
    const ReceiveMode mode = peeks ? (copies ? ReceiveMode::peek : ReceiveMode::measure)
                                   : (copies ? ReceiveMode::consume : ReceiveMode::discard);
    const std::size_t target = receive_target(stream.page(), destination.remaining(), flags);
    std::size_t total = 0;
    for (;;) {
        const bool waits_for_nothing = destination.remaining() == 0 && total == 0;
        Cursor place = kNoPlace;
        const Result<std::size_t> got =
            waits_for_nothing && !stream.is_ready(Direction::readable)
                ? Result<std::size_t>(fail(ErrorKind::would_block))
                : stream.receive_some(destination, mode, peeks ? total : 0, &place);
        if (got) {
            XYLEM_PROBE2(receive, end_id, *got);
            if (is_captured() && (*got > 0 || destination.remaining() > 0))
                capture_arrival(*this, {vectors, count, total, *got, place}, mode);
            total += *got;
            const bool wants_more = *got > 0 && total < target;
            if (!wants_more) return static_cast<ssize_t>(total);
            continue;
        }
        const Error error = got.error();
        if (error.kind == ErrorKind::reset) capture_event(*this, CaptureKind::peer_aborted);
        int failure = error.sys_errno;
        if (error.kind == ErrorKind::would_block) {
            failure = wait_or_errno(*this, Direction::readable, flags, patience, peeks ? total : 0);
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
    if (how != SHUT_RD) {
        stream.shutdown_write();
        capture_event(*this, CaptureKind::finished);
    }
    if (how != SHUT_WR) stream.shutdown_read();
    return 0;
}

}  // namespace xylem
