// The table: 1024 leaves of 1024 entries, leaves mapped when first needed and never unmapped.
// Look-ups take no lock. What happens at the last descriptor and the last reference depends on the kind and
// stands with the kind (socket_close.cpp, epoll_set.cpp).
#include "guest-lib/fd_table.hpp"

#include <sys/mman.h>

#include "guest-lib/epoll_set.hpp"
#include "guest-lib/socket.hpp"

namespace xylem {
namespace {

constexpr unsigned kLeafEntries = 1024;
constexpr unsigned kLeaves = 1024;

using Entry = Atomic<FdObject*>;
constinit Atomic<Entry*> leaves[kLeaves];

Entry* entry_of(int fd) {
    const auto number = static_cast<unsigned>(fd);
    if (number >= kLeaves * kLeafEntries) return nullptr;
    Entry* leaf = leaves[number / kLeafEntries].load_acquire();
    return leaf != nullptr ? leaf + number % kLeafEntries : nullptr;
}

Entry* make_entry(int fd) {
    const auto number = static_cast<unsigned>(fd);
    if (number >= kLeaves * kLeafEntries) return nullptr;
    Atomic<Entry*>& slot = leaves[number / kLeafEntries];
    if (slot.load_acquire() == nullptr) {
        constexpr std::size_t kBytes = kLeafEntries * sizeof(Entry);
        void* memory = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) return nullptr;
        if (!slot.compare_exchange(nullptr, static_cast<Entry*>(memory))) ::munmap(memory, kBytes);
    }
    return entry_of(fd);
}

bool count_up_if_alive(AtomicU32& references) {
    std::uint32_t now = references.load_relaxed();
    while (now != 0) {
        if (references.compare_exchange(now, now + 1)) return true;
        now = references.load_relaxed();
    }
    return false;
}

void last_descriptor_gone(FdObject* object) {
    if (object->epoll_items.load_relaxed() != 0) EpollSet::on_closed(*object);
    if (object->kind == ObjectKind::socket) static_cast<Socket*>(object)->on_last_close();
}

void destroy(FdObject* object) {
    if (object->kind == ObjectKind::socket) {
        Socket::recycle(static_cast<Socket*>(object));
    } else {
        EpollSet::recycle(static_cast<EpollSet*>(object));
    }
}

}  // namespace

FdObject* peek(int fd) {
    const Entry* entry = entry_of(fd);
    return entry != nullptr ? entry->load_acquire() : nullptr;
}

FdObject* acquire(int fd) {
    const Entry* entry = entry_of(fd);
    if (entry == nullptr) return nullptr;
    FdObject* object = entry->load_acquire();
    while (object != nullptr) {
        if (count_up_if_alive(object->references)) {
            if (entry->load_acquire() == object) return object;
            drop(object);
        }
        object = entry->load_acquire();
    }
    return nullptr;
}

void drop(FdObject* object) {
    if (object->references.fetch_sub(1) == 1) destroy(object);
}

bool enter(int fd, FdObject* object) {
    Entry* entry = make_entry(fd);
    if (entry == nullptr) return false;
    object->references.fetch_add(1);
    object->descriptors.fetch_add(1);
    FdObject* old = entry->exchange(object);
    if (old != nullptr) {  // closed behind our back, by a call that we do not see
        if (old->descriptors.fetch_sub(1) == 1) last_descriptor_gone(old);
        drop(old);
    }
    return true;
}

void leave(int fd) {
    Entry* entry = entry_of(fd);
    FdObject* object = entry != nullptr ? entry->exchange(nullptr) : nullptr;
    if (object == nullptr) return;
    if (object->descriptors.fetch_sub(1) == 1) last_descriptor_gone(object);
    drop(object);
}

int next_entry(unsigned first, unsigned last) {
    if (last >= kLeaves * kLeafEntries) last = kLeaves * kLeafEntries - 1;
    for (unsigned fd = first; fd <= last; ++fd) {
        if (leaves[fd / kLeafEntries].load_acquire() == nullptr) {
            fd |= kLeafEntries - 1;
        } else if (peek(static_cast<int>(fd)) != nullptr) {
            return static_cast<int>(fd);
        }
    }
    return -1;
}

}  // namespace xylem
