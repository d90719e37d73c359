// EpollSet: epoll_wait.
//   take     bits of the areas become pending items; pending items are asked for their events and reported
//            (level: an item stays pending as long as it is ready; edge: until the next bit)
//   kernel   a look at the kernel's set with a zero timeout, where it has members
//   spin     on the areas' hints, while that pays
//   sleep    by the recipe: say in every area that somebody sleeps, look again, epoll_wait in the kernel
// Where events are taken a few at a time all get their turn: reporting begins behind the item that was
// reported last, and after a full answer the kernel's set is asked first. A thread that leaves with events
// while others sleep on the set wakes one of them if there may be more.
#include <algorithm>

#include "guest-lib/epoll_set.hpp"
#include "guest-lib/poll_wait.hpp"
#include "guest-lib/real_libc.hpp"
#include "guest-lib/session.hpp"
#include "guest-lib/socket.hpp"
#include "vsock-transport/local/local_kick.hpp"
#include "vsock-transport/stream/blocking.hpp"

namespace xylem {
namespace {

constexpr std::uint32_t kAlwaysReported = EPOLLERR | EPOLLHUP;

int to_timeout_ms(std::uint64_t ns) {
    if (ns == kForever) return -1;
    const std::uint64_t ms = (ns + kNsPerMs - 1) / kNsPerMs;
    return static_cast<int>(std::min<std::uint64_t>(ms, 1U << 30));
}

}  // namespace

bool EpollSet::has_hint() const {
    const std::uint32_t areas = area_count_.load_acquire();
    for (unsigned a = 0; a < areas; ++a) {
        if (areas_[a].ready().has_ready()) return true;
    }
    return false;
}

// A kick takes the flag and wakes one thread; that thread, leaving, sets it again for those still asleep.
void EpollSet::count_sleeper(int change) {
    LockGuard guard(lock_);
    const std::uint32_t sleepers = sleepers_.load_relaxed() + static_cast<std::uint32_t>(change);
    sleepers_.store_relaxed(sleepers);
    const std::uint32_t areas = area_count_.load_acquire();
    for (unsigned a = 0; a < areas; ++a) areas_[a].ready().set_sleeping(sleepers > 0);
}

void EpollSet::collect(bool full_scan) {
    const std::uint32_t areas = area_count_.load_acquire();
    for (unsigned a = 0; a < areas; ++a) {
        areas_[a].ready().collect(full_scan, [this](unsigned number) {
            if (static_cast<int>(number) < capacity_) mark(static_cast<int>(number));
        });
    }
    full_fence();  // the bits are taken; what they announced is looked at after that
    if (unslotted_.load_relaxed() == 0) return;
    for (int i = 0; i < capacity_; ++i) {
        if (items_[i].fd < 0 || !items_[i].is_ring || items_[i].read_slot != WaiterSlots::kNone) continue;
        unslotted_.fetch_sub(1);
        claim_slot(i, false);
        mark(i);
    }
}

// Asks item `number`, which is pending. True: event is filled in.
bool EpollSet::report(int number, epoll_event& event) {
    EpollItem& item = items_[number];
    const std::uint64_t bit = 1ULL << (number % 64);
    std::uint64_t& pending = pending_[number / 64];
    if (item.fd < 0 || !item.is_ring || item.is_disabled) {
        pending &= ~bit;
        return false;
    }
    const auto has = static_cast<std::uint32_t>(static_cast<std::uint16_t>(item.socket->poll_events()));
    const std::uint32_t events = has & (item.events | kAlwaysReported);
    if ((item.events & EPOLLOUT) != 0 && (has & EPOLLOUT) == 0 && item.write_slot == WaiterSlots::kNone) {
        claim_slot(number, true);
        full_fence();  // (W1) pairs with the peer's publish_and_kick()
        if (item.socket->stream.is_ready(Direction::writable)) return report(number, event);
    }
    if ((has & EPOLLOUT) != 0 && item.write_slot != WaiterSlots::kNone) {
        item.socket->stream.waiters(Direction::writable).release(item.write_slot);
        item.write_slot = WaiterSlots::kNone;
    }
    if (events == 0 || (item.events & (EPOLLET | EPOLLONESHOT)) != 0) pending &= ~bit;
    if (events == 0) return false;
    if ((item.events & EPOLLONESHOT) != 0) item.is_disabled = true;
    event.events = events;
    event.data = item.data;
    return true;
}

// Reports the pending items in [from, to).
int EpollSet::report_range(int from, int to, epoll_event* events, int room) {
    int found = 0;
    for (int w = from / 64; w * 64 < to && found < room; ++w) {
        std::uint64_t bits = pending_[w];
        if (w * 64 < from) bits &= ~0ULL << (from % 64);
        for (; bits != 0 && found < room; bits &= bits - 1) {
            const int number = w * 64 + __builtin_ctzll(bits);
            if (number >= to) break;
            if (!report(number, events[found])) continue;
            last_reported_ = number;
            ++found;
        }
    }
    return found;
}

int EpollSet::take_ready(epoll_event* events, int room, bool full_scan) {
    LockGuard guard(lock_);
    collect(full_scan);
    int found = report_range(next_report_, capacity_, events, room);
    if (found < room) found += report_range(0, next_report_, events + found, room - found);
    if (found > 0) next_report_ = last_reported_ + 1;
    return found;
}

// Takes our own descriptors out of what the kernel reported.
int EpollSet::filter(epoll_event* events, int count) {
    int kept = 0;
    for (int i = 0; i < count; ++i) {
        if (events[i].data.ptr == this) {
            const std::uint32_t areas = area_count_.load_acquire();
            for (unsigned a = 0; a < areas; ++a) drain_local(areas_[a].waiter.get());
            Session::self().check();
        } else {
            events[kept++] = events[i];
        }
    }
    return kept;
}

int EpollSet::ask_kernel(epoll_event* events, int room) {
    if (room <= 0 || kernel_items_.load_relaxed() == 0) return 0;
    const int found = real().epoll_wait(set_fd_, events, room, 0);
    return found > 0 ? filter(events, found) : 0;
}

int EpollSet::gather(epoll_event* events, int room, bool full_scan) {
    const bool kernel_first = kernel_first_.load_relaxed() != 0;
    int found = kernel_first ? ask_kernel(events, room) : 0;
    if (found < room) found += take_ready(events + found, room - found, full_scan);
    if (!kernel_first) found += ask_kernel(events + found, room - found);
    kernel_first_.store_relaxed(found == room && !kernel_first ? 1 : 0);
    if (found > 0) wake_next(found == room);
    return found;
}

void EpollSet::wake_next(bool may_have_more) {
    if (sleepers_.load_relaxed() == 0 || area_count_.load_acquire() == 0) return;
    count_sleeper(0);
    full_fence();  // the flags say "asleep" again; a kick that found them down has set a bit before
    if (may_have_more || has_hint()) kick_local(areas_[0].kicker.get());
}

int EpollSet::wait_mixed(epoll_event* events, int room, std::uint64_t timeout_ns, const sigset_t* mask) {
    const std::uint64_t deadline_ns = timeout_ns == kForever ? kForever : deadline_after(timeout_ns);
    bool full_scan = false;
    bool has_spun = false;
    SleepBound bound;
    for (;;) {
        const int found = gather(events, room, full_scan);
        if (found > 0 || now_ns() >= deadline_ns) return found;
        if (!has_spun && timeout_ns != 0 && policy_.spin([this] { return has_hint(); })) continue;
        has_spun = true;
        const std::uint64_t look_up_ns = bound.next_ns(unslotted_.load_relaxed() == 0);
        const std::uint64_t bound_ns =
            Session::self().is_open() ? look_up_ns : std::min(look_up_ns, kRetryNs);
        const std::uint64_t until_ns = std::min(deadline_ns, deadline_after(bound_ns));
        const int slept = sleep_unless(
            0, [this] { count_sleeper(1); }, [this] { return has_hint(); },
            [&] {
                const std::uint64_t now = now_ns();
                return real().epoll_pwait(set_fd_, events, room,
                                          to_timeout_ms(until_ns > now ? until_ns - now : 0), mask);
            },
            [this] { count_sleeper(-1); });
        if (slept < 0) return slept;
        if (!Session::self().is_open()) Session::self().check();  // an agent may be back
        full_scan = slept == 0;
        const int kernel_events = filter(events, slept);
        if (kernel_events > 0) {
            const int left = room - kernel_events;
            const int rings = left > 0 ? take_ready(events + kernel_events, left, false) : 0;
            wake_next(rings == left);
            return kernel_events + rings;
        }
    }
}

int EpollSet::wait(int set_fd, epoll_event* events, int room, std::uint64_t timeout_ns,
                   const sigset_t* mask) {
    set_fd_ = set_fd;
    if (room <= 0) return fail_errno_with(EINVAL);
    // A set that knows listeners watches the session: that event is not the program's.
    const bool is_kernels = ring_items_.load_relaxed() == 0 && area_count_.load_relaxed() == 0;
    if (is_kernels && watches_session_.load_relaxed() == 0) {
        return real().epoll_pwait(set_fd, events, room, to_timeout_ms(timeout_ns), mask);
    }
    return wait_mixed(events, room, timeout_ns, mask);
}

}  // namespace xylem
