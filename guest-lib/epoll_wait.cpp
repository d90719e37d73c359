// EpollSet: epoll_wait.
//   gather   bits of the areas become pending items; pending items are asked for their events and reported
//            (level: an item stays pending as long as it is ready; edge: until the next bit). The kernel is
//            asked for its members, where the set has any, with a zero timeout.
//   spin     on the areas' hints, while that pays
//   sleep    by the recipe: say in every area that somebody sleeps, look again, sleep on the bell set
// A set without anything of ours has no bell set: plain waiting, in the kernel and nowhere else.
// A thread that leaves with events while others sleep wakes one of them where the kernel would: what is
// level-triggered and was reported stays ready for the next. Reporting: epoll_report.cpp.
#include <algorithm>

#include "guest-lib/cancellation.hpp"
#include "guest-lib/epoll_bell_tag.hpp"
#include "guest-lib/epoll_set.hpp"
#include "guest-lib/interruption.hpp"
#include "guest-lib/real_libc.hpp"
#include "guest-lib/session.hpp"
#include "guest-lib/spin_limit.hpp"
#include "vsock-transport/wakeup/recipe.hpp"

namespace xylem {
namespace {

constexpr int kMostEvents = 0x7FFF'FFFF / static_cast<int>(sizeof(epoll_event));  // fs/eventpoll.c

int to_timeout_ms(std::uint64_t ns) {
    if (ns == kForever) return -1;
    const std::uint64_t ms = (ns + kNsPerMs - 1) / kNsPerMs;
    return static_cast<int>(std::min<std::uint64_t>(ms, 1U << 30));
}

std::uint64_t left_until(std::uint64_t deadline_ns) {
    if (deadline_ns == kForever) return kForever;
    const std::uint64_t now = now_ns();
    return deadline_ns > now ? deadline_ns - now : 0;
}

// What is ready now. No cancellation point, as libc's would be: those who ask hold something.
int look_in_kernel(int fd, epoll_event* events, int room) {
#if defined(SYS_epoll_wait)
    return static_cast<int>(system_call(SYS_epoll_wait, fd, word(events), room, 0));
#else
    return static_cast<int>(system_call(SYS_epoll_pwait, fd, word(events), room, 0, 0, 0));
#endif
}

struct HeldSet {
    EpollSet* set;
    void (*give_up)(EpollSet&);
};

// Of a thread that was cancelled in its sleep.
void give_up_set(void* context) {
    const HeldSet held = *static_cast<HeldSet*>(context);
    held.give_up(*held.set);
    drop(held.set);
}

}  // namespace

// A cancellation point; whoever holds the caller's reference to the set gives it up there.
int EpollSet::sleep_in_kernel(int fd, epoll_event* events, int room, int timeout_ms, const sigset_t* mask,
                              void (*give_up)(EpollSet&)) {
    HeldSet held{this, give_up};
    int slept = 0;
    pthread_cleanup_push(give_up_set, &held);
    slept = real().epoll_pwait(fd, events, room, timeout_ms, mask);
    pthread_cleanup_pop(0);
    return slept;
}

int EpollSet::ask_kernel(epoll_event* events, int room) {
    if (room <= 0) return 0;
    if (kernel_items_.load_relaxed() == 0 && program_set_rang_.load_relaxed() == 0) return 0;
    program_set_rang_.store_relaxed(0);
    const int found = look_in_kernel(set_fd_, events, room);
    return found > 0 ? translate_arrivals(events, take_out_send_on(events, found)) : 0;
}

int EpollSet::gather(epoll_event* events, int room, bool full_scan, std::uint32_t& seen_news) {
    const bool kernel_first = kernel_first_.load_relaxed() != 0;
    int from_kernel = kernel_first ? ask_kernel(events, room) : 0;
    int found = from_kernel;
    bool is_level = false;
    if (found < room) {
        SetGuard guard(*this);
        found += take_ready(events + found, room - found, full_scan, seen_news);
        is_level = reported_level_;
    }
    if (!kernel_first) found += from_kernel = ask_kernel(events + found, room - found);
    kernel_first_.store_relaxed(found == room && !kernel_first ? 1 : 0);
    if (found > 0) wake_others(found == room || is_level || from_kernel > 0);
    return found;
}

void EpollSet::note_wakes(const epoll_event* wakes, int count) {
    for (int i = 0; i < count; ++i) {
        const unsigned number = number_of(wakes[i].data.u64);
        switch (kind_of(wakes[i].data.u64)) {
            case BellTag::program:
                program_set_rang_.store_relaxed(1);  // a process that shares the set may have put it there
                break;
            case BellTag::area:
                if (number < area_count_.load_acquire()) areas_[number].drain();
                break;
            case BellTag::session:
                watched_session_ = -1;
                Session::self().check();
                break;
            case BellTag::set_item: {
                SetGuard guard(*this);
                const bool is_set = static_cast<int>(number) < capacity_ && !items_[number].is_free() &&
                                    items_[number].kind == ItemKind::set;
                if (is_set) mark(static_cast<int>(number));
                break;
            }
        }
    }
}

// Returns what the system call did: -1 and errno, 0 after the time, else how many wakes there were.
int EpollSet::sleep(std::uint64_t deadline_ns, SleepBound& bound, const sigset_t* mask) {
    const bool hears_all = unslotted_.load_relaxed() == 0 && is_deaf_.load_relaxed() == 0;
    const bool has_peers = ring_items_.load_relaxed() + set_items_.load_relaxed() != 0;
    std::uint64_t bound_ns = kForever;
    if (has_peers || !hears_all) bound_ns = bound.next_ns(hears_all);
    if (!Session::self().is_open()) bound_ns = std::min(bound_ns, kRetryNs);
    const std::uint64_t masked_bound_ns = masked_ns();
    bound_ns = std::min(bound_ns, masked_bound_ns);
    epoll_event wakes[kMostWakes];
    const int fd = bell_set_ ? bell_set_.get() : set_fd_;
    const int timeout_ms = to_timeout_ms(std::min(left_until(deadline_ns), bound_ns));
    const int slept = sleep_in_kernel(fd, wakes, kMostWakes, timeout_ms, mask,
                                      [](EpollSet& set) { set.count_sleeper(-1); });
    if (masked_bound_ns != kForever) drain_channels();
    if (slept > 0 && bell_set_) note_wakes(wakes, slept);
    return slept;
}

int EpollSet::wait_mixed(epoll_event* events, int room, std::uint64_t timeout_ns, const sigset_t* mask) {
    const std::uint64_t deadline_ns = timeout_ns == kForever ? kForever : deadline_after(timeout_ns);
    bool full_scan = false;
    bool has_spun = false;
    std::uint32_t seen_news = 0;
    const Interruption interruption;
    SleepBound bound;
    Session::self().settle();
    begin_channels();
    for (;;) {
        if (set_items_.load_relaxed() != 0) ask_bell_set();
        const int found = gather(events, room, full_scan, seen_news);
        if (found > 0 || now_ns() >= deadline_ns) return found;
        const bool may_spin = !has_spun && timeout_ns != 0 && ring_items_.load_relaxed() != 0;
        has_spun = true;
        keep_to_longest_spin(policy_);
        if (may_spin && policy_.spin([this] { return has_news(); })) continue;
        if (interruption.is_due()) return fail_errno_with(EINTR);
        const auto has_more = [&] { return has_news() || look_for_news() != seen_news; };
        const int slept = sleep_unless(
            1, [this] { count_sleeper(1); }, has_more, [&] { return sleep(deadline_ns, bound, mask); },
            [this] { count_sleeper(-1); });
        if (slept < 0) return slept;
        Session::self().settle();  // an agent may be back, or have given notice
        full_scan = slept == 0;
    }
}

std::uint32_t EpollSet::look_for_news() {
    return set_items_.load_relaxed() == 0 ? news_.load_acquire() : collect_news();
}

// Edges of sets within this one, for those who do not sleep.
void EpollSet::ask_bell_set() {
    epoll_event wakes[kMostWakes];
    if (!bell_set_) return;
    const int count = look_in_kernel(bell_set_.get(), wakes, kMostWakes);
    if (count > 0) note_wakes(wakes, count);
}

// -1 and errno, or the events; none and time left: the set became mixed.
int EpollSet::wait_plain(epoll_event* events, int room, std::uint64_t timeout_ns, const sigset_t* mask) {
    plain_waiters_.fetch_add(1);
    full_fence();  // pairs with make_mixed()
    if (is_mixed()) {
        leave_plain_wait();
        return 0;
    }
    int found = sleep_in_kernel(set_fd_, events, room, to_timeout_ms(timeout_ns), mask,
                                [](EpollSet& set) { set.leave_plain_wait(); });
    const int saved_errno = errno;
    leave_plain_wait();
    if (found > 0 && is_mixed()) found = take_out_send_on(events, found);
    errno = saved_errno;
    return found;
}

int EpollSet::wait(int set_fd, epoll_event* events, int room, std::uint64_t timeout_ns,
                   const sigset_t* mask) {
    set_fd_ = set_fd;
    if (room <= 0 || room > kMostEvents) return fail_errno_with(EINVAL);
    if (is_mixed()) return wait_mixed(events, room, timeout_ns, mask);
    const std::uint64_t deadline_ns =
        timeout_ns == 0 || timeout_ns == kForever ? timeout_ns : deadline_after(timeout_ns);
    const int found = wait_plain(events, room, timeout_ns, mask);
    if (found != 0 || !is_mixed()) return found;
    return wait_mixed(events, room, left_until(deadline_ns), mask);
}

}  // namespace xylem
