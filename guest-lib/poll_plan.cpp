// PollPlan: sorting the items, asking them, and naming oneself to their peers.
#include "guest-lib/poll_plan.hpp"

#include <sys/mman.h>

#include <algorithm>

#include "guest-lib/poll_wait.hpp"
#include "guest-lib/real_libc.hpp"
#include "guest-lib/session.hpp"
#include "vsock-transport/local/local_kick.hpp"

namespace xylem {
PollPlan::PollPlan(pollfd* items, nfds_t count) : items_(items), count_(count) {
    if (count > kInline && !allocate()) return;
    for (nfds_t i = 0; i < count; ++i) classify(i);
    if (ring_count_ > 0 && queue_count_ > 0) note_waits_for_both();
    kernel_[count_ + queue_count_] = {Session::self().hang_up_fd(), 0, 0};
    complete_ = true;
}

PollPlan::~PollPlan() {
    for (unsigned d = 0; d < domain_count_; ++d) {
        if (bells_[d].bell != nullptr) give_back(bells_[d].bell);
    }
    for (nfds_t r = 0; r < ring_count_; ++r) drop(rings_[r].socket);
    for (nfds_t s = 0; s < set_count_; ++s) drop(sets_[s].set);
    if (memory_ != nullptr) ::munmap(memory_, memory_bytes_);
}

bool PollPlan::allocate() {
    const std::size_t kernel_bytes = (2 * count_ + 2 * kMaxDomains + 1) * sizeof(pollfd);
    const std::size_t ring_bytes = count_ * sizeof(RingItem);
    const std::size_t set_bytes = count_ * sizeof(SetItem);
    memory_bytes_ = kernel_bytes + ring_bytes + set_bytes + count_ * sizeof(nfds_t) + 64;
    void* memory = ::mmap(nullptr, memory_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return false;
    memory_ = memory;
    auto* place = static_cast<std::byte*>(memory);
    rings_ = reinterpret_cast<RingItem*>(place);
    sets_ = reinterpret_cast<SetItem*>(place + ring_bytes);
    queue_of_ = reinterpret_cast<nfds_t*>(place + ring_bytes + set_bytes);
    kernel_ = reinterpret_cast<pollfd*>(place + ring_bytes + set_bytes + count_ * sizeof(nfds_t));
    return true;
}

void PollPlan::classify(nfds_t index) {
    const pollfd& item = items_[index];
    kernel_[index] = {item.fd, item.events, 0};
    if (item.fd < 0) return;
    FdObject* object = acquire(item.fd);
    if (object != nullptr && object->kind() == ObjectKind::epoll_set) {
        kernel_[index].fd = -1;
        sets_[set_count_++] = {static_cast<EpollSet*>(object), index, -1};
        return;
    }
    auto* socket = static_cast<Socket*>(object);
    if (socket != nullptr && socket->is_ring()) {
        kernel_[index].fd = -1;
        rings_[ring_count_++] = {socket, index, WaiterSlots::kNone, WaiterSlots::kNone};
        return;
    }
    has_kernel_ = true;
    if (socket == nullptr) return;
    if (socket->state() == SocketState::listening) add_queue(*socket, index);
    drop(socket);
}

void PollPlan::add_queue(const Socket& listener, nfds_t index) {
    if (!listener.listens_in_kernel()) kernel_[index].events = 0;  // only its queue has something to say
    queue_of_[queue_count_++] = index;
    const short events = (items_[index].events & kReadableEvents) != 0 ? POLLIN : 0;
    kernel_[count_ + queue_count_ - 1] = {listener.arrivals_fd(), events, 0};
}

// Socket::listener_that_keeps_none() says what follows from it.
void PollPlan::note_waits_for_both() {
    for (nfds_t r = 0; r < ring_count_; ++r) {
        const Socket& accepted = *rings_[r].socket;
        for (nfds_t q = 0; q < queue_count_; ++q) {
            if (items_[queue_of_[q]].fd != accepted.listener_fd) continue;
            Ref<Socket> listener = Socket::listener_that_keeps_none(accepted);
            if (!listener) continue;
            listener->keep_connections();
            kernel_[count_ + q].fd = listener->arrivals_fd();
        }
    }
}

// A listener that began without an agent has a queue once there is one.
void PollPlan::check_session() {
    Session::self().check();
    for (nfds_t q = 0; q < queue_count_; ++q) {
        Ref<Socket> listener = find<Socket>(items_[queue_of_[q]].fd);
        const bool listens = listener && listener->state() == SocketState::listening;
        kernel_[count_ + q].fd = listens ? listener->arrivals_fd() : -1;
    }
}

int PollPlan::look() {
    if (has_kernel_) {
        const long asked = poll_raw(kernel_, count_ + queue_count_ + 1, 0);
        if (asked < 0) return static_cast<int>(to_libc(asked));
        if (kernel_[count_ + queue_count_].revents != 0) check_session();
    }
    int ready = 0;
    for (nfds_t i = 0; i < count_; ++i)
        items_[i].revents = kernel_[i].fd >= 0 ? kernel_[i].revents : short{0};
    for (nfds_t q = 0; q < queue_count_; ++q) {
        pollfd& item = items_[queue_of_[q]];
        if (kernel_[count_ + q].revents == 0) continue;
        Ref<Socket> listener = find<Socket>(item.fd);
        if (!listener || listener->arrivals() == nullptr || listener->has_arrivals())
            item.revents = static_cast<short>(item.revents | (item.events & kReadableEvents));
    }
    for (nfds_t r = 0; r < ring_count_; ++r) {
        pollfd& item = items_[rings_[r].index];
        // The kernel looks the number up anew each time; another thread may have closed it.
        const bool is_closed = peek(item.fd) != rings_[r].socket;
        const int events = rings_[r].socket->poll_events() & (item.events | POLLERR | POLLHUP);
        item.revents = static_cast<short>(is_closed ? POLLNVAL : events);
    }
    for (nfds_t s = 0; s < set_count_; ++s) {
        pollfd& item = items_[sets_[s].index];
        const int wanted = item.events & kReadableEvents;
        if (wanted == 0 || !sets_[s].set->is_ready()) continue;
        item.revents = static_cast<short>(wanted);
        sets_[s].set->wake_others(true);
    }
    for (nfds_t i = 0; i < count_; ++i) ready += items_[i].revents != 0 ? 1 : 0;
    return ready;
}

// After arming: others may have taken a set's news, but not what is ready in it.
bool PollPlan::has_ready_set() const {
    for (nfds_t s = 0; s < set_count_; ++s) {
        if ((items_[sets_[s].index].events & kReadableEvents) != 0 && sets_[s].set->is_ready()) return true;
    }
    return false;
}

// Cheap: whether another look is worth it.
bool PollPlan::has_news() const {
    for (nfds_t s = 0; s < set_count_; ++s) {
        if (sets_[s].set->has_news()) return true;
    }
    for (nfds_t r = 0; r < ring_count_; ++r) {
        const RingItem& ring = rings_[r];
        const int wanted = items_[ring.index].events | POLLERR | POLLHUP;
        if ((ring.socket->poll_events() & wanted) != 0) return true;
    }
    return false;
}

WaitToken PollPlan::token_for(std::uint32_t peer_domain) {
    for (unsigned d = 0; d < domain_count_; ++d) {
        if (bells_[d].domain == peer_domain) return bells_[d].token;
    }
    if (domain_count_ == kMaxDomains) return {};
    OwnBell* bell = take_bell(peer_domain);
    const WaitToken token =
        bell != nullptr ? WaitToken(bell->id.load_relaxed(), 0, ++bell->epoch) : WaitToken();
    bells_[domain_count_++] = {bell, peer_domain, token};
    return token;
}

void PollPlan::arm() {
    short_sleep_ = false;
    extra_ = queue_count_ + 1;
    for (unsigned d = 0; d < domain_count_; ++d) {
        OwnBell* bell = bells_[d].bell;
        if (bell != nullptr) bells_[d].token = WaitToken(bell->id.load_relaxed(), 0, ++bell->epoch);
    }
    arm_rings();
    arm_sets();
    for (unsigned d = 0; d < domain_count_; ++d) {
        if (bells_[d].bell == nullptr) continue;
        kernel_[count_ + extra_++] = {bells_[d].bell->waiter.get(), POLLIN, 0};
        kernel_[count_ + extra_++] = {bells_[d].bell->channel.fd(), POLLIN, 0};
    }
    kernel_[count_ + queue_count_].fd = Session::self().hang_up_fd();
}

void PollPlan::arm_rings() {
    for (nfds_t r = 0; r < ring_count_; ++r) {
        RingItem& ring = rings_[r];
        Stream& stream = ring.socket->stream;
        const WaitToken token = token_for(stream.page().peer_domain);
        ring.read_slot = stream.waiters(Direction::readable).claim(token);
        if (wants_write(ring)) ring.write_slot = stream.waiters(Direction::writable).claim(token);
        short_sleep_ = short_sleep_ || ring.read_slot == WaiterSlots::kNone ||
                       (wants_write(ring) && ring.write_slot == WaiterSlots::kNone);
        count(stream.page().counters.sleeps);
    }
}

void PollPlan::arm_sets() {
    for (nfds_t s = 0; s < set_count_; ++s) {
        SetItem& item = sets_[s];
        item.watched = item.set->watch();
        const int fd = item.watched == EpollSet::kPlainWatch ? items_[item.index].fd : item.watched;
        short_sleep_ = short_sleep_ || fd < 0;
        kernel_[count_ + extra_++] = {fd, POLLIN, 0};
    }
}

void PollPlan::disarm() {
    for (nfds_t r = 0; r < ring_count_; ++r) {
        RingItem& ring = rings_[r];
        ring.socket->stream.waiters(Direction::readable).release(ring.read_slot);
        ring.socket->stream.waiters(Direction::writable).release(ring.write_slot);
        ring.read_slot = ring.write_slot = WaiterSlots::kNone;
    }
    for (nfds_t s = 0; s < set_count_; ++s) sets_[s].set->unwatch(sets_[s].watched);
}

void PollPlan::after_sleep() {
    for (unsigned d = 0; d < domain_count_; ++d) {
        if (bells_[d].bell == nullptr) continue;
        drain_local(bells_[d].bell->waiter.get());
        take_kicks(bells_[d].bell->channel, bells_[d].bell->peer_domain);
    }
    if (kernel_[count_ + queue_count_].revents != 0 || !Session::self().is_open()) return check_session();
    Session::self().settle();
}

std::uint64_t PollPlan::bound_ns(SleepBound& bound) const {
    // Without a session somebody has to look whether an agent is back that does not know the listeners.
    if (queue_count_ > 0 && !Session::self().is_open()) return kRetryNs;
    if (ring_count_ + set_count_ == 0) return kForever / 2;
    std::uint64_t bound_ns = bound.next_ns(!short_sleep_);
    for (unsigned d = 0; d < domain_count_; ++d) {
        if (bells_[d].bell != nullptr) bound_ns = std::min(bound_ns, bells_[d].bell->channel.bound_ns());
    }
    return bound_ns;
}

}  // namespace xylem
