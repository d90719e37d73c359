// The arrays behind one mixed poll (poll_wait.cpp). Small ones live on the stack, larger ones in a mapping.
#pragma once

#include <poll.h>

#include "guest-lib/bells.hpp"
#include "guest-lib/epoll_set.hpp"
#include "guest-lib/socket.hpp"

namespace xylem {

class PollPlan {
  public:
    PollPlan(pollfd* items, nfds_t count);
    ~PollPlan();
    PollPlan(const PollPlan&) = delete;
    PollPlan& operator=(const PollPlan&) = delete;

    bool is_complete() const { return complete_; }
    bool has_rings() const { return ring_count_ > 0; }

    // Fills in the program's revents; returns how many items are ready.
    int look();
    bool has_news() const;
    bool has_ready_set() const;
    void arm();
    void disarm();
    void after_sleep();
    std::uint64_t bound_ns(SleepBound& bound) const;

    pollfd* kernel_items() { return kernel_; }
    nfds_t kernel_count() const { return count_ + extra_; }

  private:
    struct RingItem {
        Socket* socket;
        nfds_t index;
        int read_slot;
        int write_slot;
    };
    struct SetItem {
        EpollSet* set;
        nfds_t index;
        int watched;
    };
    struct DomainBell {
        OwnBell* bell;
        std::uint32_t domain;
        WaitToken token;
    };
    // What a socket says in two ways (net/ipv4/tcp.c, tcp_poll()), where a queue says POLLIN alone.
    static constexpr short kReadableEvents = POLLIN | POLLRDNORM;
    static constexpr short kWritableEvents = POLLOUT | POLLWRNORM;
    static constexpr nfds_t kInline = 64;
    static constexpr unsigned kMaxDomains = 8;

    bool allocate();
    void check_session();
    void classify(nfds_t index);
    void add_queue(const Socket& listener, nfds_t index);
    void note_waits_for_both();
    void arm_rings();
    void arm_sets();
    WaitToken token_for(std::uint32_t peer_domain);
    bool wants_write(const RingItem& item) const {
        return (items_[item.index].events & kWritableEvents) != 0;
    }

    pollfd* items_;
    nfds_t count_;
    // Behind the program's entries: queues of listeners, the session's hang-up; while asleep, what epoll sets
    // are watched by, and doorbells.
    nfds_t extra_ = 0;
    nfds_t queue_count_ = 0;
    bool complete_ = false;
    bool has_kernel_ = false;
    bool short_sleep_ = false;  // some ring item found no slot
    nfds_t ring_count_ = 0;
    nfds_t set_count_ = 0;
    unsigned domain_count_ = 0;

    pollfd* kernel_ = inline_kernel_;
    RingItem* rings_ = inline_rings_;
    nfds_t* queue_of_ = inline_queue_of_;  // program's index of each queue entry
    SetItem* sets_ = inline_sets_;
    void* memory_ = nullptr;
    std::size_t memory_bytes_ = 0;
    DomainBell bells_[kMaxDomains];
    pollfd inline_kernel_[2 * kInline + 2 * kMaxDomains + 1];
    RingItem inline_rings_[kInline];
    nfds_t inline_queue_of_[kInline];
    SetItem inline_sets_[kInline];
};

}  // namespace xylem
