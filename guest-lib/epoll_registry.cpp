// All epoll sets of this process: their birth and end, and what descriptors tell those that know them.
// A socket that becomes a ring or a listener moves within each set that it is in; what a set has of ours
// makes the sets around it care; the last close takes out of all sets. Order of locks: epoll_set.hpp.
#include "guest-lib/bells.hpp"
#include "guest-lib/epoll_set.hpp"
#include "guest-lib/pool.hpp"
#include "guest-lib/private_fds.hpp"
#include "guest-lib/real_libc.hpp"
#include "guest-lib/socket.hpp"

namespace xylem {

struct EpollRegistry {
    Lock lock;
    Pool<EpollSet> pool;
    EpollSet* first = nullptr;

    template <class Each>
    void each(Each visit) {
        LockGuard guard(lock);
        for (EpollSet* set = first; set != nullptr; set = set->next_set_) visit(*set);
    }
    // visit(set, item number) for each item of the object in a set, under the set's lock. `likely` is the
    // number that it probably has there, and alone if it has one only.
    template <class Each>
    static void each_item_in(EpollSet& set, const FdObject& object, int likely_fd, Each visit) {
        const EpollSet::SetGuard guard(set);
        each_item_in_locked(set, object, likely_fd, visit);
    }
    template <class Each>
    static void each_item_in_locked(EpollSet& set, const FdObject& object, int likely_fd, Each visit) {
        const int likely = set.find_item(likely_fd, object);
        if (likely != EpollSet::kNoItem) {
            visit(set, likely);
            if (object.descriptors.load_relaxed() <= 1) return;
        }
        for (int i = 0; i < set.capacity_; ++i) {
            if (i != likely && !set.items_[i].is_free() && set.items_[i].object == &object) visit(set, i);
        }
    }
    template <class Each>
    void each_item_of(const FdObject& object, int likely_fd, Each visit) {
        if (object.epoll_items.load_relaxed() == 0) return;
        each([&](EpollSet& set) { each_item_in(set, object, likely_fd, visit); });
    }
    void unlink(EpollSet* set) {
        LockGuard guard(lock);
        for (EpollSet** link = &first; *link != nullptr; link = &(*link)->next_set_) {
            if (*link == set) {
                *link = set->next_set_;
                return;
            }
        }
    }
    // A set that is in others, and became mixed without their knowing. Under the lock.
    EpollSet* next_untold() {
        for (EpollSet* set = first; set != nullptr; set = set->next_set_) {
            if (!set->is_told_ && set->is_mixed() && set->epoll_items.load_relaxed() != 0) return set;
        }
        return nullptr;
    }
    // Those around them may become mixed by it, and so on. Under the lock.
    void tell_all() {
        while (EpollSet* inner = next_untold()) {
            inner->is_told_ = true;
            for (EpollSet* outer = first; outer != nullptr; outer = outer->next_set_) {
                if (outer == inner) continue;
                each_item_in(*outer, *inner, inner->set_fd_,
                             [](EpollSet& set, int number) { set.settle(number); });
            }
        }
    }
};

namespace {
constinit EpollRegistry registry;
}

EpollSet* EpollSet::adopt_fd(int fd) {
    EpollSet* set = registry.pool.take();
    if (set == nullptr) return nullptr;
    set->set_fd_ = fd;
    if (!enter(fd, set)) {
        registry.pool.give(set);
        return nullptr;
    }
    LockGuard guard(registry.lock);
    set->next_set_ = registry.first;
    registry.first = set;
    return set;
}

void EpollSet::recycle(EpollSet* set) {
    registry.unlink(set);
    for (int i = 0; i < set->capacity_; ++i) {
        EpollItem& item = set->items_[i];
        if (item.is_free()) continue;
        if (item.is_ring()) set->release_slots(item);
        item.object->epoll_items.fetch_sub(1);
        drop(item.object);
    }
    const std::uint32_t areas = set->area_count_.load_acquire();
    for (unsigned a = 0; a < areas; ++a) {
        unregister_bell(set->areas_[a].bell_id);
        set->areas_[a].close();
    }
    close_private(set->bell_set_);
    close_private(set->send_on_);
    set->release_memory();
    registry.pool.give(set);
}

void EpollSet::tell_outer_sets() {
    if (is_told_ || !is_mixed() || epoll_items.load_relaxed() == 0) return;
    LockGuard guard(registry.lock);
    registry.tell_all();
}

void EpollSet::on_became_ring(Socket& socket) {
    if (socket.epoll_items.load_relaxed() == 0) return;
    registry.each_item_of(socket, socket.first_fd, [](EpollSet& set, int number) {
        if (!set.items_[number].is_ring()) set.settle(number);
    });
    LockGuard guard(registry.lock);
    registry.tell_all();
}

void EpollSet::on_left_ring(Socket& socket) {
    registry.each_item_of(socket, socket.first_fd, [](EpollSet& set, int number) {
        if (set.items_[number].is_ring()) set.make_kernel_item(number);
    });
}

// Its queue is a new one, or is heard of through its arrivals from now on.
void EpollSet::on_became_listener(Socket& socket) {
    if (socket.epoll_items.load_relaxed() == 0) return;
    registry.each_item_of(socket, socket.first_fd, [&socket](EpollSet& set, int number) {
        const bool had_queue = std::exchange(set.items_[number].has_queue, false);
        if (had_queue) real().epoll_ctl(set.set_fd_, EPOLL_CTL_DEL, socket.queue.get(), nullptr);
        set.settle(number);
    });
    LockGuard guard(registry.lock);
    registry.tell_all();
}

void EpollSet::on_closed(FdObject& object) {
    const int likely_fd = object.kind() == ObjectKind::socket ? static_cast<Socket&>(object).first_fd
                                                              : static_cast<EpollSet&>(object).set_fd_;
    if (object.epoll_items.load_relaxed() == 0) return;
    registry.each([&](EpollSet& set) { set.remove_closed(object, likely_fd); });
}

// In a handler, over a thread that has the lock, nobody else can let it go: whoever has it takes the item
// out.
void EpollSet::remove_closed(const FdObject& object, int likely_fd) {
    if (!lock_.lock_soon()) {
        has_missed_.store_relaxed(1);
        full_fence();  // pairs with remove_missed(): either it sees the word, or the lock is free by now
        if (!lock_.try_lock()) return;
    }
    EpollRegistry::each_item_in_locked(*this, object, likely_fd,
                                       [](EpollSet& set, int number) { set.remove_item(number); });
    lock_.unlock();
    remove_missed();
}

void EpollSet::remove_missed() {
    for (full_fence(); has_missed_.load_relaxed() != 0; full_fence()) {
        LockGuard guard(lock_);
        if (has_missed_.exchange(0) == 0) continue;
        for (int i = 0; i < capacity_; ++i) {
            if (!items_[i].is_free() && items_[i].object->descriptors.load_acquire() == 0) remove_item(i);
        }
    }
}

// Shows interest in room to the peer, then looks again: it may have come in between.
void EpollSet::wants_writable(Socket& socket) {
    registry.each_item_of(socket, socket.first_fd, [&](EpollSet& set, int number) {
        if (!set.items_[number].is_ring() || !set.items_[number].wants_room()) return;
        set.claim_slot(number, true);
        full_fence();  // (W1) pairs with the peer's publish_and_kick()
        if (socket.stream.is_ready(Direction::writable)) set.mark_for_sleepers(number);
    });
}

void EpollSet::register_again_all() {
    registry.each([](EpollSet& set) {
        const SetGuard guard(set);
        const std::uint32_t areas = set.area_count_.load_acquire();
        for (unsigned a = 0; a < areas; ++a) set.areas_[a].register_again();
        set.watched_session_ = -1;
        if (set.bell_set_) set.watch_session();
        for (int i = 0; i < set.capacity_; ++i) {
            EpollItem& item = set.items_[i];
            if (item.is_free() || !item.is_ring()) continue;
            set.release_slots(item);
            set.claim_slot(i, false);
            set.mark_for_sleepers(i);
        }
    });
}

void EpollSet::forget_parent() {
    lock_.reset();
    is_inherited_ = true;
    sleepers_.store_relaxed(0);
    watchers_.store_relaxed(0);
    plain_waiters_.store_relaxed(0);
    unslotted_.store_relaxed(0);
    const std::uint32_t areas = area_count_.load_acquire();
    for (unsigned a = 0; a < areas; ++a) areas_[a].close();
    area_count_.store_release(0);
    program_set_rang_.store_relaxed(1);
    close_private(bell_set_);
    close_private(send_on_);
    for (int i = 0; i < capacity_; ++i) {
        EpollItem& item = items_[i];
        if (item.is_free() || !item.is_ring()) continue;
        item.read_slot = item.write_slot = WaiterSlots::kNone;
        unslotted_.fetch_add(1);  // until the child waits on this set: epoll_wait.cpp
        mark(i);
    }
}

void EpollSet::forget_parent_all() {
    registry.lock.reset();
    registry.pool.reset_lock();
    for (EpollSet* set = registry.first; set != nullptr; set = set->next_set_) set->forget_parent();
}

void EpollSet::lock_all() { registry.lock.lock(); }
void EpollSet::unlock_all() { registry.lock.unlock(); }

}  // namespace xylem
