// Which of the program's descriptors are ours. A descriptor that is not costs one look-up here.
//
// An object (a socket or an epoll set) is named by `descriptors` table entries and used by `references`
// (entries included). When the last entry goes, the program has closed it; when the last reference goes, its
// memory returns to its pool. Pools never give memory back to the system, so a stale pointer still points to
// an object of its type: acquire() counts up only what is alive, then looks whether the entry still says so.
#pragma once

#include <utility>

#include "vsock-transport/base/atomic.hpp"

namespace xylem {

enum class ObjectKind : std::uint32_t { socket = 1, epoll_set = 2 };

struct FdObject {
    explicit FdObject(ObjectKind object_kind) : kind(object_kind) {}

    ObjectKind kind;
    AtomicU32 references{0};
    AtomicU32 descriptors{0};
    AtomicU32 epoll_items{0};  // of epoll sets of this process that hold it
};

// The entry, unprotected: for "is it ours at all".
FdObject* peek(int fd);

// A protected reference, or null.
FdObject* acquire(int fd);
void drop(FdObject* object);

// Enters object under fd (counting one descriptor and one reference more). False: no memory for the table.
bool enter(int fd, FdObject* object);
// Takes the entry out. The caller has closed, or is about to close, the descriptor.
void leave(int fd);
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
    if (object->kind == T::kKind) return Ref<T>(static_cast<T*>(object));
    drop(object);
    return {};
}

}  // namespace xylem
