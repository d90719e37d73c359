// EpollSet: a set inside a set, and a set that is polled.
// The kernel carries both as long as the inner set has nothing of ours. From then on an outer set has it as
// an item of kind set: the kernel's membership stays, for the kernel's verdict on loops and depth, but says
// nothing; whether the inner set is ready is asked of it in place, which takes nothing away from those who
// wait on it. For sleeping, the inner set's bell set is a member of the outer's. poll does the same
// (poll_plan.cpp). So a set that is neither polled nor nested pays nothing.
//
// Whoever sleeps on a set's readiness without being in its epoll_wait is a watcher: kicks must come, and must
// not be taken from those in epoll_wait. So watchers drain bells only if nobody else would.
#include "guest-lib/bells.hpp"
#include "guest-lib/epoll_bell_tag.hpp"
#include "guest-lib/epoll_set.hpp"
#include "guest-lib/poll_wait.hpp"
#include "guest-lib/real_libc.hpp"

namespace xylem {

// Item `number`, which the kernel cares for, is a set that became mixed. Under the lock.
void EpollSet::care_for_set(int number) {
    EpollItem& item = items_[number];
    auto& inner = *static_cast<EpollSet*>(item.object);
    if (item.kind != ItemKind::kernel) return;
    make_mixed();
    epoll_event silent{};
    silent.data = item.data;
    real().epoll_ctl(set_fd_, EPOLL_CTL_MOD, item.fd, &silent);
    item.kind = ItemKind::set;
    item.next_set_item = first_set_item_;
    first_set_item_ = number;
    kernel_items_.fetch_sub(1);
    set_items_.fetch_add(1);
    add_inner_bell_set(number);
    const std::uint32_t asleep = sleepers_.load_relaxed() + watchers_.load_relaxed();
    if (asleep != 0) inner.count_watcher(static_cast<int>(asleep));
    mark(number);
    if (asleep != 0) kick_someone();
}

// Under the lock.
void EpollSet::add_inner_bell_set(int number) {
    auto& inner = *static_cast<EpollSet*>(items_[number].object);
    SetGuard guard(inner);
    inner.make_bell_set();
    add_to_bell_set(inner.bell_set_.get(), EPOLLIN | EPOLLET,
                    tag_of(BellTag::set_item, static_cast<unsigned>(number)));
}

void EpollSet::forget_set_item(int number) {
    int* link = &first_set_item_;
    while (*link != number) link = &items_[*link].next_set_item;
    *link = items_[number].next_set_item;
    set_items_.fetch_sub(1);
    auto& inner = *static_cast<EpollSet*>(items_[number].object);
    const std::uint32_t asleep = sleepers_.load_relaxed() + watchers_.load_relaxed();
    if (asleep != 0) inner.count_watcher(-static_cast<int>(asleep));
    if (bell_set_ && inner.bell_set_) {
        system_call(SYS_epoll_ctl, bell_set_.get(), EPOLL_CTL_DEL, inner.bell_set_.get());
    }
}

// The kernel checks what it was asked for, though its own membership stays silent.
int EpollSet::modify_set_item(int set_fd, int number, const epoll_event* event) {
    EpollItem& item = items_[number];
    if (event == nullptr) return fail_errno_with(EFAULT);
    epoll_event silent{};
    silent.events = event->events & EPOLLEXCLUSIVE;
    const int result = real().epoll_ctl(set_fd, EPOLL_CTL_MOD, item.fd, &silent);
    if (result != 0) return result;
    item.events = event->events;
    item.data = event->data;
    item.is_disabled = false;
    item.seen_news = 0;
    mark(number);
    if (sleepers_.load_relaxed() + watchers_.load_relaxed() != 0 && ready_events(number) != 0) kick_someone();
    return 0;
}

// Which sets are worth asking: level-triggered ones always, others if they have news. Returns the news of
// all, as of before anybody asks them. Under the lock.
std::uint32_t EpollSet::mark_sets() {
    std::uint32_t all_news = 0;
    for (int i = first_set_item_; i != kNoItem; i = items_[i].next_set_item) {
        EpollItem& item = items_[i];
        const std::uint32_t news = static_cast<EpollSet*>(item.object)->collect_news();
        if ((item.events & EPOLLET) == 0 || news != item.seen_news) pending_.set(i);
        item.seen_news = news;
        all_news += news;
    }
    return all_news;
}

// Its own and those of the sets within.
std::uint32_t EpollSet::collect_news() {
    SetGuard guard(*this);
    collect(false);
    std::uint32_t news = news_.load_relaxed();
    for (int i = first_set_item_; i != kNoItem; i = items_[i].next_set_item) {
        news += static_cast<EpollSet*>(items_[i].object)->collect_news();
    }
    return news;
}

// Under the lock.
bool EpollSet::has_ready_member() {
    collect(false);
    mark_sets();
    for (int i = pending_.next(0, capacity_); i >= 0; i = pending_.next(i + 1, capacity_)) {
        if (ready_events(i) != 0) return true;
        pending_.clear(i);
    }
    return false;
}

bool EpollSet::is_ready() {
    if (is_mixed()) {
        SetGuard guard(*this);
        if (has_ready_member()) {
            begin_channels();
            return true;
        }
    }
    pollfd item{set_fd_, POLLIN, 0};
    return poll_raw(&item, 1, 0) > 0;
}

bool EpollSet::has_news() {
    if (has_kicked_area()) return true;
    if (set_items_.load_relaxed() == 0) return false;
    SetGuard guard(*this);
    for (int i = first_set_item_; i != kNoItem; i = items_[i].next_set_item) {
        if (static_cast<EpollSet*>(items_[i].object)->has_news()) return true;
    }
    return false;
}

void EpollSet::count_watcher(int change) {
    SetGuard guard(*this);
    watchers_.store_relaxed(watchers_.load_relaxed() + static_cast<std::uint32_t>(change));
    if (change > 0 && sleepers_.load_relaxed() == 0) drain_bells();
    tell_bells(change);
}

int EpollSet::watch() {
    plain_waiters_.fetch_add(1);
    full_fence();  // pairs with make_mixed()
    if (!is_mixed()) return kPlainWatch;
    leave_plain_wait();
    count_watcher(1);
    return is_deaf_.load_relaxed() == 0 ? bell_set_.get() : -1;
}

void EpollSet::unwatch(int watched) {
    if (watched == kPlainWatch) {
        leave_plain_wait();
    } else {
        count_watcher(-1);
    }
}

}  // namespace xylem
