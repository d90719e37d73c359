// The table. What happens at the last descriptor and the last reference depends on the kind and
// stands with the kind (socket_close.cpp, epoll_set.cpp).
#include "guest-lib/fd_table.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "guest-lib/epoll_set.hpp"
#include "guest-lib/socket.hpp"
#include "guest-lib/socket_file.hpp"

namespace xylem {

constinit Atomic<fd_table::Entry*> fd_table::leaves[kLeaves];

namespace {

using namespace fd_table;

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
}

void end_once(FdObject* object) {
    if (object->kind() != ObjectKind::socket || object->has_ended.exchange(1) != 0) return;
    const int saved_errno = errno;
    static_cast<Socket*>(object)->on_last_close();
    errno = saved_errno;
}

void close_one(FdObject* object) {
    if (object->descriptors.fetch_sub(1) == 1) last_descriptor_gone(object);
    drop(object);
}

void destroy(FdObject* object) {
    if (object->kind() == ObjectKind::socket) {
        Socket::recycle(static_cast<Socket*>(object));
    } else {
        EpollSet::recycle(static_cast<EpollSet*>(object));
    }
}

}  // namespace

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
    const std::uint32_t left = object->references.fetch_sub(1) - 1;
    if (left > object->strangers.load_relaxed()) return;
    if (object->descriptors.load_acquire() == 0) end_once(object);
    if (left == 0) destroy(object);
}

bool enter(int fd, FdObject* object) {
    Entry* entry = make_entry(fd);
    if (entry == nullptr) return false;
    object->references.fetch_add(1);
    object->descriptors.fetch_add(1);
    FdObject* old = entry->exchange(object);
    if (old != nullptr) close_one(old);  // closed behind our back, by a call that we do not see
    if (fd <= STDERR_FILENO && object->kind() == ObjectKind::socket) follow_standard_stream(fd);
    return true;
}

FdObject* detach(int fd) {
    Entry* entry = entry_of(fd);
    return entry != nullptr ? entry->exchange(nullptr) : nullptr;
}

void settle(FdObject* object) {
    if (object == nullptr) return;
    const int saved_errno = errno;
    close_one(object);
    errno = saved_errno;
}

void leave(int fd) { settle(detach(fd)); }

void forget_calls_of_parent() {
    for (int fd = next_entry(0, ~0U); fd >= 0; fd = next_entry(static_cast<unsigned>(fd) + 1, ~0U)) {
        FdObject* object = peek(fd);
        if (object->kind() != ObjectKind::socket) continue;
        const std::uint32_t held = object->descriptors.load_relaxed() + object->epoll_items.load_relaxed();
        object->strangers.store_relaxed(object->references.load_relaxed() - held);
    }
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
