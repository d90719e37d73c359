// The second source of connections of a listener: kept ends of this process in which a peer calls again,
// without an agent. A descriptor is readable while there is one, or while the agent's queue holds something:
// the epoll set of that queue's eventfd and of a doorbell for each peer domain.
#pragma once

#include "guest-lib/bell_area.hpp"
#include "guest-lib/kept_end.hpp"

namespace xylem {

class Arrivals {
  public:
    static constexpr unsigned kMostEnds = 32;
    static constexpr unsigned kMostDomains = 4;

    // Null without memory or descriptors; then nothing is kept.
    static Arrivals* make(std::uint64_t listener_id, int queue_fd);
    // Those who call go to the agent's queue, if other processes have the listener; else they are reset.
    void close();
    static Arrivals* find(std::uint64_t listener_id);
    // Of all listeners; kept_end.hpp says when. kept_lock is held.
    static void release_all();
    static void give_up_all(bool for_fork);
    static void forget_all_of_parent();

    int fd() const { return set_.get(); }
    // Not from a fork on (kept_end.hpp), until the process shows that it may (Socket::keep_connections()).
    bool takes_more() const { return takes_more_.load_relaxed() != 0; }
    void take_more() { takes_more_.store_relaxed(1); }
    // To a restarted agent, which calls the listener otherwise.
    void begin_anew(std::uint64_t listener_id);

    // An end that this process has closed to keep it. False: no room. kept_lock is held.
    bool add(KeptEnd& end);
    // Whether a peer calls. Cheap while none does.
    bool has_caller();
    // Whether one may have begun to since somebody last looked: for a spin, without a lock. By who keeps the
    // listener from being closed.
    bool has_news() const;
    bool has_areas() const { return area_count() != 0; }  // some peer had an end here that was kept
    // The next one, with the port that it calls from; 0: none.
    std::uint32_t take(KeptEnd& taken);

    Arrivals* next_free = nullptr;  // Pool

  private:
    struct Place {
        KeptEnd end;
        BellArea* area = nullptr;
        int slot = WaiterSlots::kNone;
        bool has_rung = false;
    };

    unsigned area_count() const { return area_count_.load_acquire(); }
    BellArea* area_for(std::uint32_t domain);
    bool collect();
    bool look();
    bool calm_down();
    void empty(Place& place);

    UniqueFd set_;
    std::uint64_t listener_id_ = 0;
    BellArea areas_[kMostDomains];
    AtomicU32 area_count_{0};  // what is below it stays as it is until close()
    Place places_[kMostEnds];
    unsigned next_ = 0;
    AtomicU32 takes_more_{1};
    Arrivals* next_open_ = nullptr;
};

}  // namespace xylem
