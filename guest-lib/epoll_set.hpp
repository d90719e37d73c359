// An epoll set of the program: the kernel's own set for kernel descriptors, and beside it the ring sockets.
//
// Each ring socket in the set is an item with a number. For each domain that items have peers in, the set
// owns a doorbell with a flag area; an item's waiter slots name that doorbell and the item's number. A peer
// that makes progress sets the number's bit, so epoll_wait looks at what may be ready and at nothing else.
// The doorbell's descriptor is a member of the kernel's set, so one epoll_wait sleeps on everything.
//
// One lock a set guards items and areas; it is never held while sleeping. Sets of this process are linked, so
// that a socket which becomes a ring, or closes, finds the sets that know its descriptor.
#pragma once

#include <sys/epoll.h>

#include "guest-lib/fd_table.hpp"
#include "guest-lib/lock.hpp"
#include "vsock-transport/base/mapping.hpp"
#include "vsock-transport/base/unique_fd.hpp"
#include "vsock-transport/wakeup/doorbell.hpp"
#include "vsock-transport/wakeup/wait_policy.hpp"

namespace xylem {

struct Socket;
struct SleepOutcome;

struct EpollItem {
    int fd = -1;               // -1: free
    std::uint32_t events = 0;  // as the program asked for
    epoll_data_t data{};
    Socket* socket = nullptr;  // held by reference while is_ring
    bool is_ring = false;      // false: registered with the kernel; noted since its state may change
    bool has_queue = false;    // a listener: its queue eventfd is in the kernel's set as well
    bool is_disabled = false;  // EPOLLONESHOT has fired
    int read_slot = -1;
    int write_slot = -1;
};

struct EpollArea {
    std::uint32_t peer_domain = 0;
    std::uint32_t bell_id = 0;
    UniqueFd waiter;
    UniqueFd kicker;  // kept to register again after a restart of the agent
    UniqueFd memory;
    Mapping mapping;
    ReadyArea ready() const { return ReadyArea(mapping.as<DoorbellArea>()); }
};

struct EpollSet : FdObject {
    static constexpr ObjectKind kKind = ObjectKind::epoll_set;
    static constexpr unsigned kMaxAreas = 16;

    EpollSet() : FdObject(ObjectKind::epoll_set) {}

    static EpollSet* adopt_fd(int fd);
    static void recycle(EpollSet* set);

    // libc semantics.
    int control(int set_fd, int operation, int fd, const epoll_event* event);
    int wait(int set_fd, epoll_event* events, int room, std::uint64_t timeout_ns, const sigset_t* mask);

    // What sockets tell all sets of the process.
    static void on_became_ring(int fd, Socket& socket);
    static void on_became_listener(int fd, Socket& socket);
    static void on_closed(Socket& socket);
    static void wants_writable(Socket& socket);  // a send found no room
    static void register_again_all();            // after a restart of the agent, and in a fork child
    static void forget_parent_all();
    static void lock_all();
    static void unlock_all();

    EpollSet* next_free = nullptr;

  private:
    friend struct EpollRegistry;
    static constexpr int kNoItem = -1;

    // epoll_items.cpp
    int find_place(int fd) const;
    int find_item(int fd) const;
    void erase_place(int fd);
    int new_item(int fd);
    void remove_item(int number);
    bool grow();
    EpollArea* area_for(std::uint32_t peer_domain);
    bool make_area(EpollArea& area, std::uint32_t peer_domain);
    void add_bell_to_kernel(const EpollArea& area);
    void watch_session();
    void make_ring_item(int number, Socket& socket);
    void claim_slot(int number, bool write);
    void release_slots(EpollItem& item);
    void mark(int number) { pending_[number / 64] |= 1ULL << (number % 64); }

    // epoll_control.cpp
    int control_ring(int operation, int fd, Socket& socket, const epoll_event* event);
    int control_kernel(int set_fd, int operation, int fd, Socket* socket, const epoll_event* event);
    void control_queue(int set_fd, int operation, const Socket& listener, const epoll_event* event);

    // epoll_wait.cpp
    int take_ready(epoll_event* events, int room, bool full_scan);
    void collect(bool full_scan);
    int report_range(int from, int to, epoll_event* events, int room);
    bool report(int number, epoll_event& event);
    bool has_hint() const;
    void count_sleeper(int change);
    int filter(epoll_event* events, int count);
    int ask_kernel(epoll_event* events, int room);
    int gather(epoll_event* events, int room, bool full_scan);
    void wake_next(bool may_have_more);
    int wait_mixed(epoll_event* events, int room, std::uint64_t timeout_ns, const sigset_t* mask);

    Lock lock_;
    int set_fd_ = -1;
    EpollItem* items_ = nullptr;        // capacity_ items
    std::uint64_t* pending_ = nullptr;  // a bit an item: look at it in the next wait
    std::int32_t* by_fd_ = nullptr;     // open addressing, 2 * capacity_ numbers, kNoItem = free
    int capacity_ = 0;
    int item_count_ = 0;
    int lowest_free_ = 0;  // no item below it is free
    AtomicU32 ring_items_{0};
    AtomicU32 kernel_items_{0};
    AtomicU32 unslotted_{0};  // ring items that found no slot: the sleep must be short
    AtomicU32 area_count_{0};
    EpollArea areas_[kMaxAreas];
    AtomicU32 sleepers_{0};  // changed under the lock
    AtomicU32 kernel_first_{0};
    int watched_session_ = -1;
    AtomicU32 watches_session_{0};  // one was watched at some time, so its event may come
    int next_report_ = 0;           // where the next wait begins to report
    int last_reported_ = 0;
    WaitPolicy policy_;
    EpollSet* next_set_ = nullptr;
};

}  // namespace xylem
