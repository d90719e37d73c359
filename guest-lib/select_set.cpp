// select by poll. Which poll bits make a descriptor readable, writable or exceptional is fs/select.c's
// choice.
#include "guest-lib/select_set.hpp"

#include <sys/mman.h>

#include "guest-lib/poll_wait.hpp"
#include "guest-lib/real_libc.hpp"

namespace xylem {
namespace {

constexpr int kBits = 8 * sizeof(unsigned long);
constexpr short kReadable = POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR;
constexpr short kWritable = POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR;

bool is_set(const unsigned long* set, int fd) {
    return set != nullptr && (set[fd / kBits] >> (fd % kBits) & 1) != 0;
}

unsigned long word_of(const unsigned long* set, int w) { return set != nullptr ? set[w] : 0; }

// Writes bit fd; says 1 if it is on.
int put(unsigned long* set, int fd, bool on) {
    if (!is_set(set, fd)) return 0;
    if (!on) set[fd / kBits] &= ~(1UL << (fd % kBits));
    return on ? 1 : 0;
}

template <class Visit>
void each_fd(int count, const unsigned long* a, const unsigned long* b, const unsigned long* c, Visit visit) {
    for (int w = 0; w * kBits < count; ++w) {
        for (unsigned long bits = word_of(a, w) | word_of(b, w) | word_of(c, w); bits != 0;
             bits &= bits - 1) {
            const int fd = w * kBits + __builtin_ctzl(bits);
            if (fd < count) visit(fd);
        }
    }
}

}  // namespace

SelectSet::SelectSet(int count, fd_set* in, fd_set* out, fd_set* error)
    : count_(count),
      in_(reinterpret_cast<unsigned long*>(in)),
      out_(reinterpret_cast<unsigned long*>(out)),
      error_(reinterpret_cast<unsigned long*>(error)) {
    each_fd(count, in_, out_, error_, [this](int fd) {
        ++used_;
        const pollfd item{fd, 0, 0};
        has_ours_ = has_ours_ || needs_plan(&item, 1);
    });
}

short SelectSet::wanted(int fd) const {
    int events = 0;
    if (is_set(in_, fd)) events |= POLLIN;
    if (is_set(out_, fd)) events |= POLLOUT;
    if (is_set(error_, fd)) events |= POLLPRI;
    return static_cast<short>(events);
}

int SelectSet::wait(std::uint64_t timeout_ns, const sigset_t* mask) {
    pollfd inline_items[kInline];
    pollfd* items = inline_items;
    const std::size_t bytes = used_ * sizeof(pollfd);
    if (used_ > kInline) {
        void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) return fail_errno_with(ENOMEM);
        items = static_cast<pollfd*>(memory);
    }
    unsigned filled = 0;
    each_fd(count_, in_, out_, error_, [&](int fd) { items[filled++] = {fd, wanted(fd), 0}; });
    int result = poll_mixed(items, filled, timeout_ns, mask);
    if (result >= 0) result = write_back(items, filled);
    if (items != inline_items) ::munmap(items, bytes);
    return result;
}

int SelectSet::write_back(const pollfd* items, unsigned used) {
    for (unsigned i = 0; i < used; ++i) {
        if ((items[i].revents & POLLNVAL) != 0) return fail_errno_with(EBADF);
    }
    int bits = 0;
    for (unsigned i = 0; i < used; ++i) {
        const short events = items[i].revents;
        bits += put(in_, items[i].fd, (events & kReadable) != 0);
        bits += put(out_, items[i].fd, (events & kWritable) != 0);
        bits += put(error_, items[i].fd, (events & POLLPRI) != 0);
    }
    return bits;
}

}  // namespace xylem
