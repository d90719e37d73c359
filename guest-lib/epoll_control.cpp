// EpollSet: epoll_ctl.
// What is not a ring goes to the kernel's set, which also checks the arguments; if it is ours it is noted
// here as well, since it may become a ring, or a set with rings, and must move then. A change that another
// thread's wait should report at once wakes that thread.
#include "guest-lib/epoll_set.hpp"
#include "guest-lib/poll_wait.hpp"
#include "guest-lib/real_libc.hpp"
#include "guest-lib/socket.hpp"

namespace xylem {
namespace {

// fs/eventpoll.c: EPOLLEXCLUSIVE_OK_BITS.
constexpr std::uint32_t kWithExclusive =
    EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE;

// A listener that the kernel does not know: only its queue has something to say.
bool has_only_queue(const FdObject* object) {
    if (object == nullptr || object->kind() != ObjectKind::socket) return false;
    const auto& socket = *static_cast<const Socket*>(object);
    return socket.state() == SocketState::listening && !socket.listens_in_kernel();
}

}  // namespace

int EpollSet::control(int set_fd, int operation, int fd, const epoll_event* event) {
    set_fd_ = set_fd;
    FdObject* object = acquire(fd);
    if (object == nullptr) return control_kernel(set_fd, operation, fd, nullptr, event);
    const bool is_ring =
        object->kind() == ObjectKind::socket && static_cast<const Socket*>(object)->is_ring();
    const int result = is_ring ? control_ring(operation, fd, static_cast<Socket&>(*object), event)
                               : control_kernel(set_fd, operation, fd, object, event);
    if (result == 0) tell_outer_sets();
    if (result == 0 && is_ring && operation == EPOLL_CTL_ADD)
        note_waits_for_both(static_cast<Socket&>(*object));
    drop(object);
    return result;
}

// Socket::listener_that_keeps_none() says what follows from it.
void EpollSet::note_waits_for_both(const Socket& accepted) {
    Ref<Socket> listener = Socket::listener_that_keeps_none(accepted);
    if (!listener || is_inherited_) return;
    {
        SetGuard guard(*this);
        if (find_item(accepted.listener_fd, *listener) == kNoItem) return;
    }
    listener->keep_connections();
}

// What the kernel would refuse a ring item for, in its order; 0 if nothing.
int EpollSet::refuse_arguments(int operation, int number, const epoll_event* event) const {
    if (operation != EPOLL_CTL_DEL && event == nullptr) return EFAULT;
    const bool is_exclusive = operation != EPOLL_CTL_DEL && (event->events & EPOLLEXCLUSIVE) != 0;
    if (is_exclusive && operation == EPOLL_CTL_MOD) return EINVAL;
    if (is_exclusive && operation == EPOLL_CTL_ADD && (event->events & ~kWithExclusive) != 0) return EINVAL;
    switch (operation) {
        case EPOLL_CTL_ADD:
            return number != kNoItem ? EEXIST : 0;
        case EPOLL_CTL_MOD:
            if (number == kNoItem) return ENOENT;
            return (items_[number].events & EPOLLEXCLUSIVE) != 0 ? EINVAL : 0;
        case EPOLL_CTL_DEL:
            return number == kNoItem ? ENOENT : 0;
        default:
            return EINVAL;
    }
}

int EpollSet::control_ring(int operation, int fd, Socket& socket, const epoll_event* event) {
    SetGuard guard(*this);
    int number = find_item(fd, socket);
    if (const int refused = refuse_arguments(operation, number, event); refused != 0) {
        return fail_errno_with(refused);
    }
    if (operation == EPOLL_CTL_DEL) {
        remove_item(number);
        return 0;
    }
    if (operation == EPOLL_CTL_ADD) number = new_item(fd, socket);
    if (number == kNoItem) return fail_errno_with(ENOMEM);
    EpollItem& item = items_[number];
    item.events = event->events;
    item.data = event->data;
    item.is_disabled = false;
    item.told.reset();
    if (operation == EPOLL_CTL_ADD) {
        make_ring_item(number);
    } else {
        mark(number);
    }
    if (sleepers_.load_relaxed() + watchers_.load_relaxed() != 0 && ready_events(number) != 0) kick_someone();
    return 0;
}

// A noted item becomes a ring's.
void EpollSet::make_ring_item(int number) {
    make_mixed();
    items_[number].kind = ItemKind::ring;
    kernel_items_.fetch_sub(1);
    ring_items_.fetch_add(1);
    claim_slot(number, false);
    full_fence();  // (W1) the slot is shown; the first look comes after it
    mark(number);
}

void EpollSet::make_kernel_item(int number) {
    EpollItem& item = items_[number];
    release_slots(item);
    item.kind = ItemKind::kernel;
    ring_items_.fetch_sub(1);
    kernel_items_.fetch_add(1);
    epoll_event event{};
    event.events = item.is_disabled ? 0 : item.events;
    event.data = item.data;
    real().epoll_ctl(set_fd_, EPOLL_CTL_ADD, item.fd, &event);
}

// The listener's accept queue, beside the listener.
void EpollSet::control_queue(int operation, const EpollItem& item) {
    make_mixed();
    const auto& listener = *static_cast<Socket*>(item.object);
    const bool has_arrivals = listener.arrivals() != nullptr && !is_inherited_;
    std::uint32_t passed = EPOLLIN | EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE;
    epoll_event event{};
    event.data = item.data;
    if (has_arrivals) {
        passed &= ~EPOLLEXCLUSIVE;  // the kernel allows it of no set
        event.data.u64 = arrivals_tag(static_cast<int>(&item - items_));
    }
    event.events = item.events & passed;
    if ((item.events & kReadableEvents) != 0) event.events |= EPOLLIN;  // all that a queue says
    real().epoll_ctl(set_fd_, operation, has_arrivals ? listener.arrivals_fd() : listener.queue.get(),
                     &event);
}

// Readable arrivals are the listener's own event, if there is a connection.
int EpollSet::translate_arrivals(epoll_event* events, int count) {
    int kept = 0;
    for (int i = 0; i < count; ++i) {
        const int number = arrivals_of(events[i].data.u64);
        if (number != kNoItem) {
            SetGuard guard(*this);
            if (number >= capacity_ || items_[number].is_free() || !items_[number].has_queue) continue;
            EpollItem& item = items_[number];
            if (!static_cast<Socket*>(item.object)->has_arrivals()) {
                if ((item.events & EPOLLONESHOT) != 0) control_queue(EPOLL_CTL_MOD, item);
                continue;
            }
            events[i].data = item.data;
            events[i].events = item.events & kReadableEvents;
        }
        events[kept++] = events[i];
    }
    return kept;
}

int EpollSet::control_kernel(int set_fd, int operation, int fd, FdObject* object, const epoll_event* event) {
    if (event == nullptr && operation != EPOLL_CTL_DEL) return fail_errno_with(EFAULT);
    SetGuard guard(*this);
    const int number = object != nullptr ? find_item(fd, *object) : kNoItem;
    if (number != kNoItem && items_[number].kind == ItemKind::set && operation == EPOLL_CTL_MOD) {
        return modify_set_item(set_fd, number, event);
    }
    epoll_event silent{};
    const bool is_silent = operation != EPOLL_CTL_DEL && has_only_queue(object);
    if (is_silent) silent.events = event->events & EPOLLEXCLUSIVE;
    const int result =
        real().epoll_ctl(set_fd, operation, fd, is_silent ? &silent : const_cast<epoll_event*>(event));
    if (result != 0) return result;
    if (object != nullptr) {
        note_kernel_item(operation, number, fd, *object, event);
    } else if (operation == EPOLL_CTL_ADD) {
        kernel_items_.fetch_add(1);
    } else if (operation == EPOLL_CTL_DEL && kernel_items_.load_relaxed() > 0) {
        kernel_items_.fetch_sub(1);
    }
    return 0;
}

// After the kernel took the change. Without memory a descriptor stays the kernel's for good.
void EpollSet::note_kernel_item(int operation, int number, int fd, FdObject& object,
                                const epoll_event* event) {
    if (operation == EPOLL_CTL_DEL) {
        if (number == kNoItem) return;
        if (items_[number].has_queue) control_queue(EPOLL_CTL_DEL, items_[number]);
        remove_item(number);
        return;
    }
    if (number == kNoItem) number = new_item(fd, object);
    if (number == kNoItem) return;
    items_[number].events = event->events;
    items_[number].data = event->data;
    settle(number);
}

// Moves an item of kind kernel to where its object belongs by now.
void EpollSet::settle(int number) {
    EpollItem& item = items_[number];
    if (item.object->kind() == ObjectKind::epoll_set) {
        if (static_cast<EpollSet*>(item.object)->is_mixed()) care_for_set(number);
        return;
    }
    const SocketState state = static_cast<Socket*>(item.object)->state();
    if (state == SocketState::ring) {
        real().epoll_ctl(set_fd_, EPOLL_CTL_DEL, item.fd, nullptr);
        make_ring_item(number);
        if (sleepers_.load_relaxed() + watchers_.load_relaxed() != 0) kick_someone();
    } else if (state == SocketState::listening) {
        control_queue(item.has_queue ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, item);
        epoll_event silent{};
        if (has_only_queue(item.object)) real().epoll_ctl(set_fd_, EPOLL_CTL_MOD, item.fd, &silent);
        item.has_queue = true;
    }
}

}  // namespace xylem
