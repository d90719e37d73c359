// EpollSet: its items, their numbers and slots. All under the set's lock.
// Item memory grows by doubling in a fresh mapping; numbers stay, so bits and slot tokens stay valid.
#include <sys/mman.h>

#include <cstring>

#include "guest-lib/epoll_set.hpp"
#include "guest-lib/socket.hpp"

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
    const std::size_t pending = items + PendingBits::size_bytes(capacity);
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
    PendingBits pending(bytes + layout.pending, wanted);
    auto* by_fd = reinterpret_cast<std::int32_t*>(bytes + layout.by_fd);
    std::memset(by_fd, 0xFF, 2 * static_cast<std::size_t>(wanted) * sizeof *by_fd);
    for (int i = 0; i < wanted; ++i) {
        items[i] = i < capacity_ ? items_[i] : EpollItem{};
        if (!items[i].is_free()) insert(by_fd, wanted, items[i].fd, i);
    }
    if (capacity_ > 0) {
        pending.copy_from(pending_);
        ::munmap(items_, layout_of(capacity_).total);
    }
    items_ = items;
    pending_ = pending;
    by_fd_ = by_fd;
    capacity_ = wanted;
    return true;
}

void EpollSet::release_memory() {
    if (capacity_ > 0) ::munmap(items_, layout_of(capacity_).total);
    capacity_ = 0;
}

int EpollSet::find_place(int fd, const FdObject& object) const {
    if (capacity_ == 0) return kNoItem;
    const auto mask = static_cast<unsigned>(2 * capacity_ - 1);
    for (unsigned place = place_of(fd, capacity_); by_fd_[place] != kNoItem; place = (place + 1) & mask) {
        const EpollItem& item = items_[by_fd_[place]];
        if (item.fd == fd && item.object == &object) return static_cast<int>(place);
    }
    return kNoItem;
}

int EpollSet::find_item(int fd, const FdObject& object) const {
    const int place = find_place(fd, object);
    return place != kNoItem ? by_fd_[place] : kNoItem;
}

// Takes the item out of the open-addressing table, and moves back what stood behind it only because of it.
void EpollSet::erase_place(int number) {
    const auto mask = static_cast<unsigned>(2 * capacity_ - 1);
    auto hole = static_cast<unsigned>(find_place(items_[number].fd, *items_[number].object));
    for (unsigned next = (hole + 1) & mask; by_fd_[next] != kNoItem; next = (next + 1) & mask) {
        const unsigned home = place_of(items_[by_fd_[next]].fd, capacity_);
        if (((next - home) & mask) < ((next - hole) & mask)) continue;
        by_fd_[hole] = by_fd_[next];
        hole = next;
    }
    by_fd_[hole] = kNoItem;
}

// A fresh item is the kernel's.
int EpollSet::new_item(int fd, FdObject& object) {
    if (item_count_ == capacity_ && !grow()) return kNoItem;
    int number = lowest_free_;
    while (!items_[number].is_free()) ++number;
    lowest_free_ = number + 1;
    items_[number] = EpollItem{};
    items_[number].fd = fd;
    items_[number].object = &object;
    object.references.fetch_add(1);
    object.epoll_items.fetch_add(1);
    insert(by_fd_, capacity_, fd, number);
    ++item_count_;
    kernel_items_.fetch_add(1);
    return number;
}

void EpollSet::remove_item(int number) {
    EpollItem& item = items_[number];
    if (item.kind == ItemKind::ring) {
        release_slots(item);
        ring_items_.fetch_sub(1);
    } else if (item.kind == ItemKind::set) {
        forget_set_item(number);
    } else {
        kernel_items_.fetch_sub(1);
    }
    erase_place(number);
    FdObject* object = item.object;
    item = EpollItem{};
    pending_.clear(number);
    if (number < lowest_free_) lowest_free_ = number;
    --item_count_;
    object->epoll_items.fetch_sub(1);
    drop(object);
}

void EpollSet::claim_slot(int number, bool write) {
    EpollItem& item = items_[number];
    int& slot = write ? item.write_slot : item.read_slot;
    if (slot != WaiterSlots::kNone) return;
    Stream& stream = static_cast<Socket*>(item.object)->stream;
    const BellArea* area =
        static_cast<unsigned>(number) < kReadyBits ? area_for(stream.page().peer_domain) : nullptr;
    const WaitToken token =
        area != nullptr ? WaitToken(area->bell_id, static_cast<std::uint16_t>(number), 0) : WaitToken();
    slot = stream.waiters(write ? Direction::writable : Direction::readable).claim(token);
    if (slot == WaiterSlots::kNone && !write) unslotted_.fetch_add(1);
}

void EpollSet::release_slots(EpollItem& item) {
    Stream& stream = static_cast<Socket*>(item.object)->stream;
    if (item.read_slot == WaiterSlots::kNone && unslotted_.load_relaxed() > 0) unslotted_.fetch_sub(1);
    stream.waiters(Direction::readable).release(item.read_slot);
    stream.waiters(Direction::writable).release(item.write_slot);
    item.read_slot = item.write_slot = WaiterSlots::kNone;
}

}  // namespace xylem
