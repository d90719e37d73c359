// An epoll set of the program: the kernel's own set for kernel descriptors, and beside it the ring sockets.
//
// Each descriptor of ours in the set is an item with a number. A ring item's waiter slots name a doorbell and
// the item's number; the set owns a doorbell with a flag area for each domain that its items have peers in. A
// peer that makes progress sets the number's bit, so epoll_wait looks at what may be ready and at nothing
// else.
//
// The program's set stays as the program made it. What else can wake a waiter (the doorbells, the agent's
// hang-up) is gathered with it in a second kernel set, the bell set, which is this process's alone: a fork
// child shares the program's set and makes a bell set of its own. A set without anything of ours has none and
// is the kernel's business.
//
// A set may be a member of another set, or be polled: epoll_nested.cpp.
//
// One lock a set guards items and areas; it is never held while sleeping. Sets of this process are linked, so
// that a socket which becomes a ring, or closes, finds the sets that know its descriptor. Order of locks: the
// registry's, an outer set's, an inner set's, the session's.
#pragma once

#include <sys/epoll.h>

#include "guest-lib/bell_area.hpp"
#include "guest-lib/epoll_item.hpp"
#include "guest-lib/lock.hpp"
#include "guest-lib/pending_bits.hpp"
#include "vsock-transport/base/mapping.hpp"
#include "vsock-transport/base/unique_fd.hpp"
#include "vsock-transport/wakeup/doorbell.hpp"
#include "vsock-transport/wakeup/wait_policy.hpp"

namespace xylem {

struct Socket;

struct EpollSet : FdObject {
    static constexpr ObjectKind kKind = ObjectKind::epoll_set;
    static constexpr unsigned kMaxAreas = 16;
    static constexpr unsigned kAddressBits = 48;

    EpollSet() : FdObject(ObjectKind::epoll_set) {}

    static EpollSet* adopt_fd(int fd);
    static void recycle(EpollSet* set);

    // libc semantics.
    int control(int set_fd, int operation, int fd, const epoll_event* event);
    int wait(int set_fd, epoll_event* events, int room, std::uint64_t timeout_ns, const sigset_t* mask);

    // For those who poll the set: whether a wait would report something now, which takes nothing away.
    bool is_ready();
    // Whether is_ready() may have come true by a ring, without a system call.
    bool has_news();
    // For those who sleep on the set's readiness: what becomes readable with it, -1 if nothing does, or
    // kPlainWatch: the set's own descriptor. unwatch() takes the answer back.
    static constexpr int kPlainWatch = -2;
    int watch();
    void unwatch(int watched);
    // By those who leave because it is ready: others may sleep on it.
    void wake_others(bool may_have_more);

    // What descriptors tell all sets of the process.
    static void on_became_ring(Socket& socket);
    static void on_left_ring(Socket& socket);
    static void on_became_listener(Socket& socket);
    static void on_closed(FdObject& object);     // its last descriptor
    static void wants_writable(Socket& socket);  // a send found no room
    static void register_again_all();            // after a restart of the agent, and in a fork child
    static void forget_parent_all();
    static void lock_all();
    static void unlock_all();

    EpollSet* next_free = nullptr;

  private:
    friend struct EpollRegistry;
    // The set's lock costs no system call, unlike others: programs change sets as often as they send. Signals
    // come meanwhile, and what their handlers close then is taken out when the lock is let go.
    class SetGuard {
      public:
        explicit SetGuard(EpollSet& set) : set_(set) { set.lock_.lock(); }
        ~SetGuard() {
            set_.lock_.unlock();
            set_.remove_missed();
        }
        SetGuard(const SetGuard&) = delete;
        SetGuard& operator=(const SetGuard&) = delete;

      private:
        EpollSet& set_;
    };
    static constexpr int kNoItem = -1;
    static constexpr int kMostWakes = 16;

    // epoll_items.cpp
    int find_place(int fd, const FdObject& object) const;
    int find_item(int fd, const FdObject& object) const;
    void erase_place(int number);
    int new_item(int fd, FdObject& object);
    void remove_item(int number);
    bool grow();
    void release_memory();
    void claim_slot(int number, bool write);
    void release_slots(EpollItem& item);
    void mark(int number) {
        pending_.set(number);
        news_.store_release(news_.load_relaxed() + 1);  // under the lock
    }

    // epoll_bells.cpp
    BellArea* area_for(std::uint32_t peer_domain);
    void make_mixed();
    bool make_bell_set();
    void add_to_bell_set(int fd, std::uint32_t events, std::uint64_t tag);
    void watch_session();
    void send_plain_waiters_on();
    void leave_plain_wait();
    int sleep_in_kernel(int fd, epoll_event* events, int room, int timeout_ms, const sigset_t* mask,
                        void (*give_up)(EpollSet&));
    int take_out_send_on(epoll_event* events, int count);
    int translate_arrivals(epoll_event* events, int count);
    // What a listener's arrivals are called in the kernel's set: no pointer that a program could have.
    std::uint64_t arrivals_tag(int number) const {
        return reinterpret_cast<std::uint64_t>(this) | static_cast<std::uint64_t>(number + 1) << kAddressBits;
    }
    int arrivals_of(std::uint64_t data) const {
        const std::uint64_t mask = (1ULL << kAddressBits) - 1;
        const bool is_tag = (data & mask) == reinterpret_cast<std::uint64_t>(this) && data > mask;
        return is_tag ? static_cast<int>(data >> kAddressBits) - 1 : kNoItem;
    }
    void show_sleepers();
    void tell_bells(int change);
    void count_sleeper(int change);
    void add_area_to_bell_set(unsigned number);
    void drain_bells();
    std::uint64_t masked_ns() const;
    void drain_channels();
    void begin_channels();
    bool has_kicked_area() const;
    void kick_someone();
    void mark_for_sleepers(int number);

    // epoll_control.cpp
    int control_ring(int operation, int fd, Socket& socket, const epoll_event* event);
    int control_kernel(int set_fd, int operation, int fd, FdObject* object, const epoll_event* event);
    void note_waits_for_both(const Socket& accepted);
    int refuse_arguments(int operation, int number, const epoll_event* event) const;
    void note_kernel_item(int operation, int number, int fd, FdObject& object, const epoll_event* event);
    void control_queue(int operation, const EpollItem& item);
    void make_ring_item(int number);
    void make_kernel_item(int number);
    void settle(int number);
    bool is_mixed() const { return mixed_.load_acquire() != 0; }

    // epoll_registry.cpp
    void remove_closed(const FdObject& object, int likely_fd);
    void remove_missed();
    void tell_outer_sets();
    void forget_parent();

    // epoll_nested.cpp
    int modify_set_item(int set_fd, int number, const epoll_event* event);
    void care_for_set(int number);
    void add_inner_bell_set(int number);
    void forget_set_item(int number);
    std::uint32_t mark_sets();
    bool has_ready_member();
    std::uint32_t collect_news();
    void count_watcher(int change);

    // epoll_report.cpp
    int take_ready(epoll_event* events, int room, bool full_scan, std::uint32_t& seen_news);
    void collect(bool full_scan);
    bool may_look_at_all();
    int report_range(int from, int to, epoll_event* events, int room);
    std::uint32_t ready_events(int number, StreamState& seen);
    std::uint32_t ready_events(int number) {
        StreamState seen;
        return ready_events(number, seen);
    }
    std::uint32_t edge_events(int number, StreamState& seen);
    std::uint32_t ring_events(int number);
    bool report(int number, epoll_event& event);

    // epoll_wait.cpp
    int wait_plain(epoll_event* events, int room, std::uint64_t timeout_ns, const sigset_t* mask);
    int wait_mixed(epoll_event* events, int room, std::uint64_t timeout_ns, const sigset_t* mask);
    int ask_kernel(epoll_event* events, int room);
    void ask_bell_set();
    std::uint32_t look_for_news();
    int gather(epoll_event* events, int room, bool full_scan, std::uint32_t& seen_news);
    int sleep(std::uint64_t deadline_ns, SleepBound& bound, const sigset_t* mask);
    void note_wakes(const epoll_event* wakes, int count);

    Lock lock_;
    int set_fd_ = -1;
    EpollItem* items_ = nullptr;     // capacity_ items
    PendingBits pending_;            // which items to look at in the next wait
    std::int32_t* by_fd_ = nullptr;  // open addressing, 2 * capacity_ numbers, kNoItem = free
    int capacity_ = 0;
    int item_count_ = 0;
    int lowest_free_ = 0;  // no item below it is free
    int first_set_item_ = kNoItem;
    AtomicU32 set_items_{0};  // items of kind set
    AtomicU32 news_{0};       // counts marks
    AtomicU32 ring_items_{0};
    AtomicU32 kernel_items_{0};
    AtomicU64 look_at_all_ns_{0};  // when all items may be asked again (epoll_report.cpp)
    AtomicU32 unslotted_{0};       // ring items that found no slot: the sleep must be short
    AtomicU32 area_count_{0};
    BellArea areas_[kMaxAreas];
    AtomicU32 mixed_{0};         // there is something of ours; never goes back
    bool is_inherited_ = false;  // the kernel's set is other processes', too
    bool is_told_ = false;       // the sets around this one know that it is mixed; the registry's lock
    UniqueFd bell_set_;
    AtomicU32 is_deaf_{0};        // the bell set lacks something: the sleep must be short
    UniqueFd send_on_;            // readable, in the program's set while plain waiters must come out
    AtomicU32 plain_waiters_{0};  // asleep on the program's set alone
    AtomicU32 sleepers_{0};       // in epoll_wait, on the bell set; changed under the lock, as the next
    AtomicU32 watchers_{0};       // asleep elsewhere, on this set's readiness
    AtomicU32 kernel_first_{0};
    AtomicU32 has_missed_{0};        // something was closed while the lock was not to be had
    AtomicU32 program_set_rang_{1};  // it may hold what this process did not put there
    int watched_session_ = -1;
    int next_report_ = 0;  // where the next wait begins to report
    int last_reported_ = 0;
    bool reported_level_ = false;  // the last take_ready() did: it stays until it is dealt with
    WaitPolicy policy_;
    EpollSet* next_set_ = nullptr;
};

}  // namespace xylem
