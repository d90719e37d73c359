// EpollSet: its items, their numbers, slots and doorbell areas. All under the set's lock.
// Item memory grows by doubling in a fresh mapping; numbers stay, so bits and slot tokens stay valid.
#include <sys/mman.h>

#include <cstring>

#include "guest-lib/bells.hpp"
#include "guest-lib/epoll_set.hpp"
#include "guest-lib/private_fds.hpp"
#include "guest-lib/real_libc.hpp"
#include "guest-lib/session.hpp"
#include "guest-lib/socket.hpp"
#include "vsock-transport/local/local_kick.hpp"
#include "vsock-transport/local/slab_memfd.hpp"

namespace xylem {
namespace {

constexpr int kFirstCapacity = 64;

struct Layout {
    std::size_t pending;
    std::size_t by_fd;
    std::size_t total;
};

Layout layout_of(int capacity) {
    const auto n = static_cast<std::size_t>(capacity);
    const std::size_t items = n * sizeof(EpollItem);
    const std::size_t pending = items + n / 64 * sizeof(std::uint64_t);
    return {items, pending, pending + 2 * n * sizeof(std::int32_t)};
}

unsigned place_of(int fd, int capacity) {
    return static_cast<unsigned>(fd) * 0x9E37'79B1U & static_cast<unsigned>(2 * capacity - 1);
}

void insert(std::int32_t* by_fd, int capacity, int fd, int number) {
    unsigned place = place_of(fd, capacity);
    while (by_fd[place] != -1) place = (place + 1) & static_cast<unsigned>(2 * capacity - 1);
    by_fd[place] = number;
}

}  // namespace

bool EpollSet::grow() {
    const int wanted = capacity_ == 0 ? kFirstCapacity : 2 * capacity_;
    const Layout layout = layout_of(wanted);
    void* memory = ::mmap(nullptr, layout.total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return false;
    auto* bytes = static_cast<std::byte*>(memory);
    auto* items = reinterpret_cast<EpollItem*>(bytes);
    auto* pending = reinterpret_cast<std::uint64_t*>(bytes + layout.pending);
    auto* by_fd = reinterpret_cast<std::int32_t*>(bytes + layout.by_fd);
    std::memset(by_fd, 0xFF, 2 * static_cast<std::size_t>(wanted) * sizeof *by_fd);
    for (int i = 0; i < wanted; ++i) {
        items[i] = i < capacity_ ? items_[i] : EpollItem{};
        if (items[i].fd >= 0) insert(by_fd, wanted, items[i].fd, i);
    }
    if (capacity_ > 0) {
        std::memcpy(pending, pending_, static_cast<std::size_t>(capacity_) / 8);
        ::munmap(items_, layout_of(capacity_).total);
    }
    items_ = items;
    pending_ = pending;
    by_fd_ = by_fd;
    capacity_ = wanted;
    return true;
}

int EpollSet::find_place(int fd) const {
    if (capacity_ == 0) return kNoItem;
    const auto mask = static_cast<unsigned>(2 * capacity_ - 1);
    for (unsigned place = place_of(fd, capacity_); by_fd_[place] != kNoItem; place = (place + 1) & mask) {
        if (items_[by_fd_[place]].fd == fd) return static_cast<int>(place);
    }
    return kNoItem;
}

int EpollSet::find_item(int fd) const {
    const int place = find_place(fd);
    return place != kNoItem ? by_fd_[place] : kNoItem;
}

// Takes fd out of the open-addressing table, and moves back what stood behind it only because of it.
void EpollSet::erase_place(int fd) {
    const auto mask = static_cast<unsigned>(2 * capacity_ - 1);
    auto hole = static_cast<unsigned>(find_place(fd));
    for (unsigned next = (hole + 1) & mask; by_fd_[next] != kNoItem; next = (next + 1) & mask) {
        const unsigned home = place_of(items_[by_fd_[next]].fd, capacity_);
        if (((next - home) & mask) < ((next - hole) & mask)) continue;
        by_fd_[hole] = by_fd_[next];
        hole = next;
    }
    by_fd_[hole] = kNoItem;
}

int EpollSet::new_item(int fd) {
    if (item_count_ == capacity_ && !grow()) return kNoItem;
    int number = lowest_free_;
    while (items_[number].fd >= 0) ++number;
    lowest_free_ = number + 1;
    items_[number] = EpollItem{};
    items_[number].fd = fd;
    insert(by_fd_, capacity_, fd, number);
    ++item_count_;
    return number;
}

void EpollSet::remove_item(int number) {
    EpollItem& item = items_[number];
    if (item.is_ring) {
        release_slots(item);
        ring_items_.fetch_sub(1);
        item.socket->epoll_items.fetch_sub(1);
        drop(item.socket);
    } else {
        kernel_items_.fetch_sub(1);
    }
    erase_place(item.fd);
    item = EpollItem{};
    pending_[number / 64] &= ~(1ULL << (number % 64));
    if (number < lowest_free_) lowest_free_ = number;
    --item_count_;
}

bool EpollSet::make_area(EpollArea& area, std::uint32_t peer_domain) {
    Result<LocalBell> pair = make_local_bell();
    Result<UniqueFd> memory = make_sealed_memfd("xylem-doorbell", kDoorbellAreaBytes);
    if (!pair || !memory) return false;
    Result<Mapping> mapping = Mapping::shared(memory->get(), kDoorbellAreaBytes, PROT_READ | PROT_WRITE);
    if (!mapping) return false;
    area.bell_id = register_bell(peer_domain, pair->kicker.get(), memory->get());
    if (area.bell_id == 0) return false;
    area.peer_domain = peer_domain;
    area.mapping = std::move(*mapping);
    area.waiter = make_private(std::move(pair->waiter));
    area.kicker = make_private(std::move(pair->kicker));
    area.memory = make_private(std::move(*memory));
    add_bell_to_kernel(area);
    return true;
}

void EpollSet::add_bell_to_kernel(const EpollArea& area) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;  // one sleeping thread a kick
    event.data.ptr = this;
    real().epoll_ctl(set_fd_, EPOLL_CTL_ADD, area.waiter.get(), &event);
    watch_session();
}

// A sleeping set must learn that the agent is gone, so that its listeners are offered to the next one.
void EpollSet::watch_session() {
    const int session_fd = Session::self().hang_up_fd();
    if (session_fd < 0 || session_fd == watched_session_) return;
    epoll_event event{};
    event.events = EPOLLRDHUP | EPOLLET;
    event.data.ptr = this;
    watches_session_.store_relaxed(1);
    if (real().epoll_ctl(set_fd_, EPOLL_CTL_ADD, session_fd, &event) == 0) watched_session_ = session_fd;
}

EpollArea* EpollSet::area_for(std::uint32_t peer_domain) {
    const std::uint32_t made = area_count_.load_acquire();
    for (unsigned a = 0; a < made; ++a) {
        if (areas_[a].peer_domain == peer_domain) return &areas_[a];
    }
    if (made == kMaxAreas || !make_area(areas_[made], peer_domain)) return nullptr;
    area_count_.store_release(made + 1);
    return &areas_[made];
}

void EpollSet::claim_slot(int number, bool write) {
    EpollItem& item = items_[number];
    int& slot = write ? item.write_slot : item.read_slot;
    if (slot != WaiterSlots::kNone) return;
    Stream& stream = item.socket->stream;
    const EpollArea* area =
        static_cast<unsigned>(number) < kReadyBits ? area_for(stream.page().peer_domain) : nullptr;
    const WaitToken token =
        area != nullptr ? WaitToken(area->bell_id, static_cast<std::uint16_t>(number), 0) : WaitToken();
    slot = stream.waiters(write ? Direction::writable : Direction::readable).claim(token);
    if (slot == WaiterSlots::kNone && !write) unslotted_.fetch_add(1);
}

void EpollSet::release_slots(EpollItem& item) {
    Stream& stream = item.socket->stream;
    if (item.read_slot == WaiterSlots::kNone && unslotted_.load_relaxed() > 0) unslotted_.fetch_sub(1);
    stream.waiters(Direction::readable).release(item.read_slot);
    stream.waiters(Direction::writable).release(item.write_slot);
    item.read_slot = item.write_slot = WaiterSlots::kNone;
}

void EpollSet::make_ring_item(int number, Socket& socket) {
    EpollItem& item = items_[number];
    socket.references.fetch_add(1);
    item.socket = &socket;
    item.is_ring = true;
    ring_items_.fetch_add(1);
    socket.epoll_items.fetch_add(1);
    claim_slot(number, false);
    full_fence();  // (W1) the slot is shown; the first look comes after it
    mark(number);
}

}  // namespace xylem
