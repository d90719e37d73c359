// Which of the program's descriptors are ours. A descriptor that is not costs one look-up here.
//
// An object (a socket or an epoll set) is named by `descriptors` table entries and used by `references`
// (entries included). When the last entry goes, the program has closed it, and epoll sets forget it. Its end
// comes with the last reference, as in the kernel: a thread that sleeps in recv() or accept() while another
// one closes the descriptor goes on, and the peer sees the end when that call returns. After the last
// reference its memory returns to its pool. Pools never give memory back to the system, so a stale pointer
// still points to an object of its type: acquire() counts up only what is alive, then looks whether the entry
// still says so.
#pragma once

#include <utility>

#include "vsock-transport/base/atomic.hpp"

namespace xylem {

enum class ObjectKind : std::uint32_t { socket = 1, epoll_set = 2 };

// A pool makes a returned object anew while somebody may still look at it through a stale pointer. So what
// such a look may meet is in unions, which construction leaves alone: the counts are 0 by then, as in fresh
// memory, and the rest is stored atomically.
struct FdObject {
    explicit FdObject(ObjectKind object_kind) {
        kind_word.store_relaxed(static_cast<std::uint32_t>(object_kind));
        strangers.store_relaxed(0);
        has_ended.store_relaxed(0);
        epoll_items.store_relaxed(0);
    }
    ObjectKind kind() const { return static_cast<ObjectKind>(kind_word.load_relaxed()); }

    union {
        AtomicU32 references;
    };
    union {
        AtomicU32 descriptors;
    };
    union {
        AtomicU32 strangers;  // references of calls that only the parent has (fork): they never go here
    };
    union {
        AtomicU32 has_ended;
    };
    union {
        AtomicU32 epoll_items;  // of epoll sets of this process that hold it
    };

    // The caller's own among them.
    std::uint32_t calls_under_way() const {
        return references.load_acquire() - descriptors.load_acquire() - epoll_items.load_acquire() -
               strangers.load_relaxed();
    }

  private:
    union {
        AtomicU32 kind_word;
    };
};

// 1024 leaves of 1024 entries, leaves mapped when first needed and never unmapped. Look-ups take no lock.
namespace fd_table {
using Entry = Atomic<FdObject*>;
inline constexpr unsigned kLeafEntries = 1024;
inline constexpr unsigned kLeaves = 1024;
[[gnu::visibility("hidden")]] extern Atomic<Entry*> leaves[kLeaves];

inline Entry* entry_of(int fd) {
    const auto number = static_cast<unsigned>(fd);
    if (number >= kLeaves * kLeafEntries) return nullptr;
    Entry* leaf = leaves[number / kLeafEntries].load_acquire();
    return leaf != nullptr ? leaf + number % kLeafEntries : nullptr;
}
}  // namespace fd_table

// The entry, unprotected: for "is it ours at all".
inline FdObject* peek(int fd) {
    const fd_table::Entry* entry = fd_table::entry_of(fd);
    return entry != nullptr ? entry->load_acquire() : nullptr;
}

// A protected reference, or null.
FdObject* acquire(int fd);
void drop(FdObject* object);

// Enters object under fd (counting one descriptor and one reference more). False: no memory for the table.
bool enter(int fd, FdObject* object);
// Takes the entry out. Until settle() its object counts one descriptor more.
FdObject* detach(int fd);
// Once the descriptor is closed in the kernel, so that nobody takes this one for another process's. object
// may be null. errno is kept.
void settle(FdObject* object);
// Both, where the descriptor is closed already, or at once.
void leave(int fd);
// In a fork child: calls of the parent's other threads are not under way here.
void forget_calls_of_parent();
// Descriptors in [first, last] that have an entry: the next one at or behind first, or -1.
int next_entry(unsigned first, unsigned last);

template <class T>
class Ref {
  public:
    Ref() = default;
    explicit Ref(T* object) : object_(object) {}
    Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    Ref& operator=(Ref&&) = delete;
    ~Ref() {
        if (object_ != nullptr) drop(object_);
    }
    T* operator->() const { return object_; }
    T& operator*() const { return *object_; }
    T* get() const { return object_; }
    explicit operator bool() const { return object_ != nullptr; }

  private:
    T* object_ = nullptr;
};

template <class T>
Ref<T> find(int fd) {
    FdObject* object = acquire(fd);
    if (object == nullptr) return {};
    if (object->kind() == T::kKind) return Ref<T>(static_cast<T*>(object));
    drop(object);
    return {};
}

}  // namespace xylem
