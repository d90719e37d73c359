// Last words: sums of the session page and of the ends that this process closed, in one line.
// Said from exit(), or before _exit(), which may be in a signal handler: system calls and atomics only. A
// pipe that is full or that nobody reads, and a program in a sandbox, get nothing: a word too few is better
// than a program that hangs or dies at its end. Bytes of an end that other processes still hold are theirs to
// tell.
#include "guest-lib/last_words.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "guest-lib/enabled.hpp"
#include "guest-lib/run.hpp"
#include "guest-lib/session.hpp"
#include "guest-lib/socket.hpp"
#include "vsock-transport/base/sandbox.hpp"

namespace xylem {
namespace {

constinit AtomicU64 error_device;
constinit AtomicU64 error_file;  // inode; 0: there was no standard error
constinit AtomicU64 sent_bytes;
constinit AtomicU64 received_bytes;
constinit AtomicU32 has_spoken;

// One line, cut where it would be longer than a pipe takes at once.
class Line {
  public:
    Line& operator<<(const char* text) {
        while (*text != '\0' && length_ < sizeof text_ - 1) text_[length_++] = *text++;
        return *this;
    }
    Line& operator<<(std::uint64_t value) {
        char digits[21];
        char* at = digits + sizeof digits - 1;
        *at = '\0';
        do *--at = static_cast<char>('0' + value % 10);
        while ((value /= 10) != 0);
        return *this << at;
    }
    const char* end() {
        text_[length_++] = '\n';
        return text_;
    }
    std::size_t length() const { return length_; }

  private:
    char text_[1024];
    std::size_t length_ = 0;
};

bool look_at_standard_error(struct stat& status) {
    if (system_call(SYS_fstat, STDERR_FILENO, word(&status)) != 0) return false;
    if (!S_ISSOCK(status.st_mode)) return true;
    int domain = 0;
    socklen_t size = sizeof domain;
    system_call(SYS_getsockopt, STDERR_FILENO, SOL_SOCKET, SO_DOMAIN, word(&domain), word(&size));
    return domain == AF_UNIX;
}

bool may_speak() {
    struct stat status {};
    if (!look_at_standard_error(status) || status.st_ino == 0) return false;
    if (status.st_ino != error_file.load_relaxed() || status.st_dev != error_device.load_relaxed())
        return false;
    pollfd item{STDERR_FILENO, POLLOUT, 0};
    timespec none{};
    return system_call(SYS_ppoll, word(&item), 1, word(&none), 0, 0) == 1 && item.revents == POLLOUT;
}

// Without the signal that a pipe gives whose reader went meanwhile.
void write_quietly(const char* text, std::size_t length) {
    const std::uint64_t pipe_only = std::uint64_t{1} << (SIGPIPE - 1);
    std::uint64_t before = 0;
    timespec none{};
    system_call(SYS_rt_sigprocmask, SIG_BLOCK, word(&pipe_only), word(&before), sizeof before);
    const long written = system_call(SYS_write, STDERR_FILENO, word(text), static_cast<long>(length));
    if (written == -EPIPE && (before & pipe_only) == 0) {
        system_call(SYS_rt_sigtimedwait, word(&pipe_only), 0, word(&none), sizeof pipe_only);
    }
    system_call(SYS_rt_sigprocmask, SIG_SETMASK, word(&before), 0, sizeof before);
}

void say(Line& line) {
    const char* text = line.end();
    if (may_speak()) write_quietly(text, line.length());
}

void begin(Line& line) {
    line << "xylem: " << program_invocation_short_name << "["
         << static_cast<std::uint64_t>(system_call(SYS_getpid)) << "]: ";
}

void count_open_ends() {
    for (int fd = next_entry(0, ~0U); fd >= 0; fd = next_entry(static_cast<unsigned>(fd) + 1, ~0U)) {
        const Ref<Socket> socket = ring_socket(fd);
        if (!socket || socket->stream.page().holders.load_acquire() > 1) continue;
        if (socket->has_told_bytes.exchange(1) == 0) count_bytes(socket->stream);  // once, whatever dup() did
    }
}

// Connections on TCP by reason; their sum.
std::uint64_t sum_tallies(const SessionPage& page, std::uint64_t (&by_reason)[kReasonTallies]) {
    for (const Tally& tally : page.tallies) {
        if (tally.state.load_acquire() != kTallyReady) continue;
        by_reason[tally.reason % kReasonTallies] += tally.connections.load_relaxed();
    }
    std::uint64_t sum = 0;
    for (unsigned i = 0; i < kReasonTallies; ++i) {
        by_reason[i] += page.other_peers[i].load_relaxed();
        sum += by_reason[i];
    }
    return sum;
}

}  // namespace

void remember_standard_error() {
    struct stat status {};
    if (!look_at_standard_error(status)) return;
    error_device.store_relaxed(status.st_dev);
    error_file.store_relaxed(status.st_ino);
}

void count_bytes(const Stream& stream) {
    const EndPage& page = stream.page();
    sent_bytes.fetch_add(page.tx.head.load_relaxed() - page.tx_begin.load_relaxed());
    received_bytes.fetch_add(page.rx.tail.load_relaxed() - page.rx_begin.load_relaxed());
}

void forget_words_of_parent() {
    sent_bytes.store_relaxed(0);
    received_bytes.store_relaxed(0);
    has_spoken.store_relaxed(0);
}

void say_last_words() {
    const SessionPage* page = Session::self().page();
    if (!is_asked_why() || is_sandboxed() || !is_own_process() || page == nullptr) return;
    if (has_spoken.exchange(1) != 0) return;
    const std::uint64_t ring = page->ring_connections.load_relaxed();
    std::uint64_t by_reason[kReasonTallies] = {};
    const std::uint64_t tcp = sum_tallies(*page, by_reason);
    if (ring == 0 && tcp == 0) return;
    count_open_ends();
    Line line;
    begin(line);
    line << ring << " over rings (" << sent_bytes.load_relaxed() << " bytes sent, "
         << received_bytes.load_relaxed() << " received), " << tcp << " on TCP";
    const char* separator = ": ";
    for (unsigned i = 0; i < kReasonTallies; ++i) {
        if (by_reason[i] == 0) continue;
        line << separator << by_reason[i] << " " << reason_name(i);
        separator = ", ";
    }
    say(line);
}

void say_bypass(Reason why, const char* program) {
    Line line;
    begin(line);
    line << program << ": " << reason_text(static_cast<std::uint32_t>(why)) << ": its sockets stay on TCP";
    say(line);
}

}  // namespace xylem
