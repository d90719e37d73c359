// Arrivals. A bit in the area of a peer domain says in which end somebody may call; an end is looked at when
// its bit was set. The flag `sleeping` stands in the areas all the time, until a kick takes it; the
// descriptor is readable from that kick on, until it is drained because nobody calls any more. Then the flag
// goes up again and the bits are looked at once more (recipe.hpp). A second caller sees the flag down, and
// the descriptor is readable already.
#include "guest-lib/arrivals.hpp"

#include <sys/epoll.h>

#include "guest-lib/bells.hpp"
#include "guest-lib/pool.hpp"
#include "guest-lib/private_fds.hpp"

namespace xylem {
namespace {

constinit Pool<Arrivals> pool;
constinit Arrivals* first_open = nullptr;  // under kept_lock

bool add_to(int set, int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    return system_call(SYS_epoll_ctl, set, EPOLL_CTL_ADD, fd, word(&event)) == 0;
}

}  // namespace

Arrivals* Arrivals::make(std::uint64_t listener_id, int queue_fd) {
    UniqueFd set(static_cast<int>(system_call(SYS_epoll_create1, EPOLL_CLOEXEC)));
    if (set.get() < 0 || !add_to(set.get(), queue_fd)) return nullptr;
    Arrivals* made = pool.take();
    if (made == nullptr) return nullptr;
    made->set_ = make_private(std::move(set));
    made->listener_id_ = listener_id;
    LockGuard guard(kept_lock());
    made->next_open_ = first_open;
    first_open = made;
    return made;
}

Arrivals* Arrivals::find(std::uint64_t listener_id) {
    Arrivals* found = first_open;
    while (found != nullptr && found->listener_id_ != listener_id) found = found->next_open_;
    return found;
}

void Arrivals::begin_anew(std::uint64_t listener_id) {
    LockGuard guard(kept_lock());
    listener_id_ = listener_id;
    for (unsigned a = 0; a < area_count(); ++a) areas_[a].register_again();
}

void Arrivals::empty(Place& place) {
    if (!place.end.is_taken_back()) place.end.stream.waiters(Direction::readable).release(place.slot);
    place.slot = WaiterSlots::kNone;
    place.area = nullptr;
    place.has_rung = false;
}

void Arrivals::close() {
    LockGuard guard(kept_lock());
    Arrivals** link = &first_open;
    while (*link != this) link = &(*link)->next_open_;
    *link = next_open_;
    for (Place& place : places_) {
        if (!place.end.stream) continue;
        empty(place);
        place.end.release();
    }
    for (unsigned a = 0; a < area_count(); ++a) {
        unregister_bell(areas_[a].bell_id);
        areas_[a].close();
    }
    close_private(set_);
    pool.give(this);
}

BellArea* Arrivals::area_for(std::uint32_t domain) {
    const unsigned count = area_count();
    for (unsigned a = 0; a < count; ++a) {
        if (areas_[a].peer_domain == domain) return &areas_[a];
    }
    if (count == kMostDomains || !areas_[count].make(domain)) return nullptr;
    BellArea* made = &areas_[count];
    made->set_sleeping(true);
    add_to(set_.get(), made->waiter.get());
    if (made->channel) add_to(set_.get(), made->channel.fd());
    area_count_.store_release(count + 1);
    return made;
}

bool Arrivals::add(KeptEnd& end) {
    Place* free = nullptr;
    for (Place& place : places_) {
        if (place.end.stream && place.end.is_taken_back()) {
            empty(place);
            place.end.forget();
        }
        if (!place.end.stream) free = &place;
    }
    if (free == nullptr || !takes_more()) return false;
    BellArea* area = area_for(end.stream.page().peer_domain);
    if (area == nullptr) return false;
    const WaitToken token(area->bell_id, static_cast<std::uint16_t>(free - places_), 0);
    const int slot = end.stream.waiters(Direction::readable).claim(token);
    if (slot == WaiterSlots::kNone) return false;
    free->end.stream = std::move(end.stream);
    free->end.end_id = end.end_id;
    free->area = area;
    free->slot = slot;
    full_fence();  // (W1) the slot is shown; a peer that calls already, and an agent, have not seen it
    if (free->end.is_taken_back()) {
        empty(*free);
        free->end.forget();
        return true;
    }
    if (!free->end.stream.has_caller()) return true;
    free->has_rung = true;
    area->kick();
    return true;
}

// Whether some bit was set since the last time.
bool Arrivals::collect() {
    bool any = false;
    for (unsigned a = 0; a < area_count(); ++a) {
        if (!areas_[a].has_ready()) continue;
        areas_[a].collect(false, [&](unsigned index) {
            if (index >= kMostEnds || places_[index].area != &areas_[a]) return;
            places_[index].has_rung = any = true;
        });
    }
    return any;
}

// The place from which the next caller is taken, as next_; false: nobody calls.
bool Arrivals::look() {
    for (unsigned i = 0; i < kMostEnds; ++i) {
        Place& place = places_[(next_ + i) % kMostEnds];
        if (!place.has_rung) continue;
        place.has_rung = false;
        if (place.end.is_taken_back()) {
            empty(place);
            place.end.forget();
        } else if (place.end.stream.has_caller()) {
            place.has_rung = true;
            next_ = (next_ + i) % kMostEnds;
            return true;
        }
    }
    return false;
}

bool Arrivals::has_news() const {
    for (unsigned a = 0; a < area_count(); ++a) {
        if (areas_[a].has_ready()) return true;
    }
    return false;
}

bool Arrivals::has_caller() {
    LockGuard guard(kept_lock());
    collect();
    return look() || !calm_down();
}

// Nobody calls any more, it seems. False: somebody does after all.
bool Arrivals::calm_down() {
    for (unsigned a = 0; a < area_count(); ++a) areas_[a].calm_down();
    full_fence();  // (W1) the flags are up: a caller whose bit is not seen now, kicks
    if (!collect() || !look()) return true;
    places_[next_].area->kick();
    return false;
}

std::uint32_t Arrivals::take(KeptEnd& taken) {
    LockGuard guard(kept_lock());
    collect();
    while (look()) {
        Place& place = places_[next_];
        const std::uint32_t port = place.end.stream.accept_again();
        place.area->channel.begin();
        empty(place);
        taken.stream = std::move(place.end.stream);
        taken.end_id = place.end.end_id;
        taken.is_unknown = std::exchange(place.end.is_unknown, false);
        if (port == 0) {
            taken.forget();
            continue;
        }
        if (!look()) calm_down();
        return port;
    }
    return 0;
}

void Arrivals::release_all() {
    for (Arrivals* open = first_open; open != nullptr; open = open->next_open_) {
        for (Place& place : open->places_) {
            if (!place.end.stream) continue;
            open->empty(place);
            place.end.release();
        }
    }
}

void Arrivals::give_up_all(bool for_fork) {
    for (Arrivals* open = first_open; open != nullptr; open = open->next_open_) {
        // Shared from now on: another process may be the one that waits for the listener.
        if (for_fork) open->takes_more_.store_relaxed(0);
        for (Place& place : open->places_) {
            if (!place.end.stream) continue;
            if (!place.end.is_taken_back() && !place.end.stream.stop_keeping()) {
                place.end.is_unknown = place.end.is_unknown || !for_fork;
                continue;
            }
            open->empty(place);
            place.end.release();
        }
    }
}

// The agent counts the child as a holder of what a caller waits in.
void Arrivals::forget_all_of_parent() {
    pool.reset_lock();
    for (Arrivals* open = first_open; open != nullptr; open = open->next_open_) {
        for (Place& place : open->places_) {
            if (place.end.stream) place.end.tell_release();
            place.end.forget();
        }
        for (unsigned a = 0; a < open->area_count(); ++a) open->areas_[a].close();
        close_private(open->set_);
    }
    first_open = nullptr;
}

}  // namespace xylem
