// EpollSet: what wakes its waiters.
//   areas      a doorbell with a flag area for each peer domain; "somebody sleeps" in them is true while a
//              thread sleeps in epoll_wait or, by a poll or an outer set, on the set's readiness
//   bell set   the kernel set that waiters sleep on: the program's set, the areas' doorbells, the session.
//              All edge-triggered: a kick wakes one thread, and that one sees to it that others wake as well
//   send-on    threads that went to sleep on the program's set before there was a bell set are sent there by
//              a readable descriptor, which is in the program's set until the last of them is out
// Under the set's lock, but for what says otherwise.
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>

#include "guest-lib/epoll_bell_tag.hpp"
#include "guest-lib/epoll_set.hpp"
#include "guest-lib/private_fds.hpp"
#include "guest-lib/real_libc.hpp"
#include "guest-lib/session.hpp"

namespace xylem {

BellArea* EpollSet::area_for(std::uint32_t peer_domain) {
    const std::uint32_t made = area_count_.load_acquire();
    for (unsigned a = 0; a < made; ++a) {
        if (areas_[a].peer_domain == peer_domain) return &areas_[a];
    }
    if (made == kMaxAreas || !areas_[made].make(peer_domain)) return nullptr;
    area_count_.store_release(made + 1);
    add_area_to_bell_set(made);
    show_sleepers();
    return &areas_[made];
}

void EpollSet::make_mixed() {
    if (is_mixed()) return;
    make_bell_set();
    mixed_.store_release(1);
    full_fence();  // pairs with wait_plain() and watch(): they see it, or are seen here
    if (plain_waiters_.load_relaxed() != 0) send_plain_waiters_on();
}

// Made when the set becomes mixed, and again in a fork child. Where descriptors or the kernel's limit of
// nesting are short, sleepers look up often instead.
bool EpollSet::make_bell_set() {
    if (bell_set_) return true;
    const long made = system_call(SYS_epoll_create1, EPOLL_CLOEXEC);
    is_deaf_.store_relaxed(made < 0 ? 1 : 0);
    if (made < 0) return false;
    bell_set_ = make_private(UniqueFd(static_cast<int>(made)));
    add_to_bell_set(set_fd_, EPOLLIN | EPOLLET, tag_of(BellTag::program, 0));
    const std::uint32_t areas = area_count_.load_acquire();
    for (unsigned a = 0; a < areas; ++a) add_area_to_bell_set(a);
    for (int i = first_set_item_; i != kNoItem; i = items_[i].next_set_item) add_inner_bell_set(i);
    watched_session_ = -1;
    return true;
}

void EpollSet::add_to_bell_set(int fd, std::uint32_t events, std::uint64_t tag) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = tag;
    const long added = system_call(SYS_epoll_ctl, bell_set_.get(), EPOLL_CTL_ADD, fd, word(&event));
    if (added != 0 && added != -EEXIST) is_deaf_.store_relaxed(1);
}

void EpollSet::add_area_to_bell_set(unsigned number) {
    const BellArea& area = areas_[number];
    add_to_bell_set(area.waiter.get(), EPOLLIN | EPOLLET, tag_of(BellTag::area, number));
    if (area.channel) add_to_bell_set(area.channel.fd(), EPOLLIN | EPOLLET, tag_of(BellTag::area, number));
}

// A sleeping set must learn that the agent is gone, so that its listeners are offered to the next one.
void EpollSet::watch_session() {
    const int session_fd = Session::self().hang_up_fd();
    if (session_fd < 0 || session_fd == watched_session_) return;
    add_to_bell_set(session_fd, EPOLLRDHUP | EPOLLET, tag_of(BellTag::session, 0));
    watched_session_ = session_fd;
}

void EpollSet::send_plain_waiters_on() {
    if (send_on_) return;
    send_on_ = make_private(UniqueFd(static_cast<int>(system_call(SYS_eventfd2, 1, EFD_CLOEXEC))));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = this;
    system_call(SYS_epoll_ctl, set_fd_, EPOLL_CTL_ADD, send_on_.get(), word(&event));
}

// Without the lock. The last one out takes the sign down.
void EpollSet::leave_plain_wait() {
    if (plain_waiters_.fetch_sub(1) != 1 || !is_mixed()) return;
    SetGuard guard(*this);
    if (plain_waiters_.load_relaxed() == 0) close_private(send_on_);
}

// Returns how many of the events are the program's.
int EpollSet::take_out_send_on(epoll_event* events, int count) {
    int kept = 0;
    for (int i = 0; i < count; ++i) {
        if (events[i].data.ptr != this) events[kept++] = events[i];
    }
    return kept;
}

// A kick takes the flag and wakes one thread; that thread, leaving, sets it again for those still asleep.
void EpollSet::show_sleepers() {
    const bool sleeping = sleepers_.load_relaxed() + watchers_.load_relaxed() != 0;
    const std::uint32_t areas = area_count_.load_acquire();
    for (unsigned a = 0; a < areas; ++a) areas_[a].set_sleeping(sleeping);
}

// Sets within this one are watched as long as somebody sleeps here.
void EpollSet::tell_bells(int change) {
    if (change > 0 && make_bell_set()) watch_session();
    show_sleepers();
    if (change == 0) return;
    for (int i = first_set_item_; i != kNoItem; i = items_[i].next_set_item) {
        static_cast<EpollSet*>(items_[i].object)->count_watcher(change);
    }
}

// Takes the lock.
void EpollSet::count_sleeper(int change) {
    SetGuard guard(*this);
    sleepers_.store_relaxed(sleepers_.load_relaxed() + static_cast<std::uint32_t>(change));
    tell_bells(change);
}

void EpollSet::drain_bells() {
    const std::uint32_t areas = area_count_.load_acquire();
    for (unsigned a = 0; a < areas; ++a) areas_[a].drain();
}

// Without the lock, as the next two. How long a sleep may last for the sake of channels that are masked.
std::uint64_t EpollSet::masked_ns() const {
    std::uint64_t bound_ns = kForever;
    const std::uint32_t areas = area_count_.load_acquire();
    for (unsigned a = 0; a < areas; ++a) bound_ns = std::min(bound_ns, areas_[a].channel.bound_ns());
    return bound_ns;
}

void EpollSet::drain_channels() {
    const std::uint32_t areas = area_count_.load_acquire();
    for (unsigned a = 0; a < areas; ++a) areas_[a].drain_channel();
}

void EpollSet::begin_channels() {
    const std::uint32_t areas = area_count_.load_acquire();
    for (unsigned a = 0; a < areas; ++a) areas_[a].channel.begin();
}

// Without the lock.
bool EpollSet::has_kicked_area() const {
    const std::uint32_t areas = area_count_.load_acquire();
    for (unsigned a = 0; a < areas; ++a) {
        if (areas_[a].has_ready()) return true;
    }
    return false;
}

// Wakes one thread that sleeps on this set; it looks at everything. Where no bell is near, the program's set
// is put on the edge anew, which wakes somebody if members of it are still ready.
void EpollSet::kick_someone() {
    if (area_count_.load_acquire() != 0) {
        areas_[0].kick();
        return;
    }
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.u64 = tag_of(BellTag::program, 0);
    if (bell_set_) system_call(SYS_epoll_ctl, bell_set_.get(), EPOLL_CTL_MOD, set_fd_, word(&event));
    for (int i = first_set_item_; i != kNoItem; i = items_[i].next_set_item) {
        auto& inner = *static_cast<EpollSet*>(items_[i].object);
        SetGuard guard(inner);
        inner.kick_someone();
    }
}

// Under the lock. For what is ready by now without anybody's kick.
void EpollSet::mark_for_sleepers(int number) {
    mark(number);
    if (sleepers_.load_relaxed() + watchers_.load_relaxed() != 0) kick_someone();
}

// Takes the lock. By a thread that leaves with events while others sleep.
void EpollSet::wake_others(bool may_have_more) {
    if (sleepers_.load_relaxed() + watchers_.load_relaxed() == 0) return;
    {
        SetGuard guard(*this);
        show_sleepers();
    }
    full_fence();  // the flags say "asleep" again; a kick that found them down has set a bit before
    if (!may_have_more && !has_news()) return;
    SetGuard guard(*this);
    kick_someone();
}

}  // namespace xylem
