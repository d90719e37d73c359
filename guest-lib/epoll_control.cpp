// EpollSet: epoll_ctl, and what sockets tell the sets about themselves.
// A socket that is neither ring nor listener yet goes to the kernel's set and is noted here; when it becomes
// a ring, it moves. Order of locks: the registry's, then a set's, then the session's.
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
    // For the sets that know fd: visit(set, item number), under the set's lock.
    template <class Each>
    void each_item(int fd, Each visit) {
        each([&](EpollSet& set) {
            LockGuard guard(set.lock_);
            const int number = set.find_item(fd);
            if (number != EpollSet::kNoItem) visit(set, number);
        });
    }
    template <class Each>
    void each_item_of(const Socket& socket, Each visit) {
        each([&](EpollSet& set) {
            LockGuard guard(set.lock_);
            const int likely = set.find_item(socket.first_fd);
            if (likely != EpollSet::kNoItem && set.items_[likely].socket == &socket) {
                visit(set, likely);
                if (socket.descriptors.load_relaxed() <= 1) return;
            }
            for (int i = 0; i < set.capacity_; ++i) {
                if (i != likely && set.items_[i].is_ring && set.items_[i].socket == &socket) visit(set, i);
            }
        });
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
};

namespace {

constinit EpollRegistry registry;

// A listener that the kernel does not know: only its queue has something to say.
bool has_only_queue(const Socket& socket) {
    return socket.state() == SocketState::listening && !socket.listens_in_kernel();
}

}  // namespace

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
        if (set->items_[i].fd >= 0 && set->items_[i].is_ring) {
            set->release_slots(set->items_[i]);
            set->items_[i].socket->epoll_items.fetch_sub(1);
            drop(set->items_[i].socket);
        }
    }
    const std::uint32_t areas = set->area_count_.load_acquire();
    for (unsigned a = 0; a < areas; ++a) {
        EpollArea& area = set->areas_[a];
        unregister_bell(area.bell_id);
        close_private(area.waiter);
        close_private(area.kicker);
        close_private(area.memory);
        area.mapping.unmap();
    }
    registry.pool.give(set);
}

int EpollSet::control(int set_fd, int operation, int fd, const epoll_event* event) {
    set_fd_ = set_fd;
    Ref<Socket> socket = find<Socket>(fd);
    if (socket && socket->is_ring()) return control_ring(operation, fd, *socket, event);
    return control_kernel(set_fd, operation, fd, socket.get(), event);
}

int EpollSet::control_ring(int operation, int fd, Socket& socket, const epoll_event* event) {
    if (operation != EPOLL_CTL_DEL && event == nullptr) return fail_errno_with(EFAULT);
    LockGuard guard(lock_);
    int number = find_item(fd);
    switch (operation) {
        case EPOLL_CTL_ADD:
            if (number != kNoItem) return fail_errno_with(EEXIST);
            number = new_item(fd);
            if (number == kNoItem) return fail_errno_with(ENOMEM);
            items_[number].events = event->events;
            items_[number].data = event->data;
            make_ring_item(number, socket);
            return 0;
        case EPOLL_CTL_MOD:
            if (number == kNoItem) return fail_errno_with(ENOENT);
            items_[number].events = event->events;
            items_[number].data = event->data;
            items_[number].is_disabled = false;
            mark(number);
            return 0;
        case EPOLL_CTL_DEL:
            if (number == kNoItem) return fail_errno_with(ENOENT);
            remove_item(number);
            return 0;
        default:
            return fail_errno_with(EINVAL);
    }
}

void EpollSet::control_queue(int set_fd, int operation, const Socket& listener, const epoll_event* event) {
    epoll_event queue_event{};
    if (event != nullptr) {
        constexpr std::uint32_t kKept = EPOLLIN | EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE;
        queue_event.events = event->events & kKept;
        queue_event.data = event->data;
    }
    real().epoll_ctl(set_fd, operation, listener.queue.get(), &queue_event);
    watch_session();
}

int EpollSet::control_kernel(int set_fd, int operation, int fd, Socket* socket, const epoll_event* event) {
    if (event == nullptr && operation != EPOLL_CTL_DEL) return fail_errno_with(EFAULT);
    epoll_event shown = event != nullptr ? *event : epoll_event{};
    if (socket != nullptr && has_only_queue(*socket)) shown.events = 0;
    const int result = real().epoll_ctl(set_fd, operation, fd, &shown);
    if (result != 0) return result;
    LockGuard guard(lock_);
    if (socket == nullptr) {
        if (operation == EPOLL_CTL_ADD) kernel_items_.fetch_add(1);
        return 0;
    }
    int number = find_item(fd);
    if (operation == EPOLL_CTL_DEL) {
        if (number == kNoItem) return 0;
        if (items_[number].has_queue) control_queue(set_fd, EPOLL_CTL_DEL, *socket, nullptr);
        remove_item(number);
        return 0;
    }
    if (number == kNoItem) {
        number = new_item(fd);
        if (number == kNoItem) return 0;
        kernel_items_.fetch_add(1);
    }
    EpollItem& item = items_[number];
    item.events = event->events;
    item.data = event->data;
    if (socket->state() == SocketState::listening) {
        control_queue(set_fd, item.has_queue ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, *socket, event);
        item.has_queue = true;
    }
    return 0;
}

void EpollSet::on_became_ring(int fd, Socket& socket) {
    registry.each_item(fd, [&](EpollSet& set, int number) {
        if (set.items_[number].is_ring) return;
        real().epoll_ctl(set.set_fd_, EPOLL_CTL_DEL, fd, nullptr);
        set.kernel_items_.fetch_sub(1);
        set.make_ring_item(number, socket);
    });
}

void EpollSet::on_became_listener(int fd, Socket& socket) {
    registry.each_item(fd, [&](EpollSet& set, int number) {
        EpollItem& item = set.items_[number];
        epoll_event event{};
        event.events = item.events;
        event.data = item.data;
        set.control_queue(set.set_fd_, EPOLL_CTL_ADD, socket, &event);
        event.events = 0;
        if (has_only_queue(socket)) real().epoll_ctl(set.set_fd_, EPOLL_CTL_MOD, fd, &event);
        item.has_queue = true;
    });
}

void EpollSet::on_closed(Socket& socket) {
    if (socket.epoll_items.load_relaxed() == 0) return;
    registry.each_item_of(socket, [](EpollSet& set, int number) { set.remove_item(number); });
}

// Shows interest in room to the peer, then looks again: it may have come in between.
void EpollSet::wants_writable(Socket& socket) {
    if (socket.epoll_items.load_relaxed() == 0) return;
    registry.each_item_of(socket, [&](EpollSet& set, int number) {
        if ((set.items_[number].events & EPOLLOUT) == 0) return;
        set.claim_slot(number, true);
        full_fence();  // (W1) pairs with the peer's publish_and_kick()
        if (socket.stream.is_ready(Direction::writable)) set.mark(number);
    });
}

void EpollSet::register_again_all() {
    registry.each([](EpollSet& set) {
        LockGuard guard(set.lock_);
        const std::uint32_t areas = set.area_count_.load_acquire();
        for (unsigned a = 0; a < areas; ++a) {
            EpollArea& area = set.areas_[a];
            area.bell_id = register_bell(area.peer_domain, area.kicker.get(), area.memory.get());
        }
        set.watched_session_ = -1;
        set.watch_session();
        for (int i = 0; i < set.capacity_; ++i) {
            EpollItem& item = set.items_[i];
            if (item.fd < 0 || !item.is_ring) continue;
            set.release_slots(item);
            set.claim_slot(i, false);
            set.mark(i);
        }
    });
}

void EpollSet::forget_parent_all() {
    registry.lock.reset();
    registry.pool.reset_lock();
    for (EpollSet* set = registry.first; set != nullptr; set = set->next_set_) {
        set->lock_.reset();
        set->sleepers_.store_relaxed(0);
        set->watched_session_ = -1;
        set->unslotted_.store_relaxed(0);
        const std::uint32_t areas = set->area_count_.load_acquire();
        for (unsigned a = 0; a < areas; ++a) {
            close_private(set->areas_[a].waiter);
            close_private(set->areas_[a].kicker);
            close_private(set->areas_[a].memory);
            set->areas_[a].mapping.unmap();
        }
        set->area_count_.store_release(0);
        for (int i = 0; i < set->capacity_; ++i) {
            EpollItem& item = set->items_[i];
            if (item.fd < 0 || !item.is_ring) continue;
            item.read_slot = item.write_slot = WaiterSlots::kNone;
            set->unslotted_.fetch_add(1);  // until the child waits on this set: epoll_wait.cpp
            set->mark(i);
        }
    }
}

void EpollSet::lock_all() { registry.lock.lock(); }
void EpollSet::unlock_all() { registry.lock.unlock(); }

}  // namespace xylem
