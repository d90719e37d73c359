// EpollSet: which items are ready, and telling them. Under the set's lock.
// Where events are taken a few at a time all get their turn: reporting begins behind the item that was
// reported last, and after a full answer the kernel's set is asked first.
#include "guest-lib/epoll_set.hpp"
#include "guest-lib/socket.hpp"

namespace xylem {
namespace {

constexpr std::uint32_t kAlwaysReported = EPOLLERR | EPOLLHUP;
constexpr int kMostLooks = 3;  // at a state that moves on under them

}  // namespace

// A kick may be lost before its bit is set: its sender found no way to the doorbell, or was killed. So after
// a sleep that nobody ended all items are asked, but not each time where sleeps are short.
bool EpollSet::may_look_at_all() {
    const std::uint64_t now = now_ns();
    if (now < look_at_all_ns_.load_relaxed()) return false;
    look_at_all_ns_.store_relaxed(now + kBoundedSleepNs);
    return true;
}

void EpollSet::collect(bool full_scan) {
    const std::uint32_t areas = area_count_.load_acquire();
    for (unsigned a = 0; a < areas; ++a) {
        areas_[a].collect(full_scan, [this](unsigned number) {
            if (static_cast<int>(number) < capacity_) mark(static_cast<int>(number));
        });
    }
    full_fence();  // the bits are taken; what they announced is looked at after that
    if (full_scan && may_look_at_all()) {
        for (int i = 0; i < capacity_; ++i) {
            if (!items_[i].is_free() && items_[i].is_ring()) mark(i);
        }
    }
    if (unslotted_.load_relaxed() == 0) return;
    for (int i = 0; i < capacity_; ++i) {
        if (items_[i].is_free() || !items_[i].is_ring() || items_[i].read_slot != WaiterSlots::kNone)
            continue;
        unslotted_.fetch_sub(1);
        claim_slot(i, false);
        mark(i);
    }
}

// What a ring item has of what was asked. A wish for room is shown to the peer as long as there is none.
std::uint32_t EpollSet::ring_events(int number) {
    EpollItem& item = items_[number];
    auto& socket = *static_cast<Socket*>(item.object);
    auto has = static_cast<std::uint32_t>(static_cast<std::uint16_t>(socket.poll_events()));
    if (item.wants_room() && (has & EPOLLOUT) == 0 && item.write_slot == WaiterSlots::kNone) {
        claim_slot(number, true);
        full_fence();  // (W1) pairs with the peer's publish_and_kick()
        has = static_cast<std::uint32_t>(static_cast<std::uint16_t>(socket.poll_events()));
    }
    if ((has & EPOLLOUT) != 0 && item.write_slot != WaiterSlots::kNone) {
        socket.stream.waiters(Direction::writable).release(item.write_slot);
        item.write_slot = WaiterSlots::kNone;
    }
    return has & (item.events | kAlwaysReported);
}

// What is to be told of an edge-triggered ring item, and the state it was seen in. Bytes can be seen before
// the bit that announces them is set: such a bit is no second edge.
std::uint32_t EpollSet::edge_events(int number, StreamState& seen) {
    const Stream& stream = static_cast<Socket*>(items_[number].object)->stream;
    std::uint32_t events = 0;
    for (int look = 0; look < kMostLooks; ++look) {
        seen = stream.state();
        events = ring_events(number);
        if (stream.state() == seen) break;
    }
    return items_[number].told == seen ? 0 : events;
}

// What a pending item would report; 0 if nothing. seen: of an edge-triggered ring item.
std::uint32_t EpollSet::ready_events(int number, StreamState& seen) {
    EpollItem& item = items_[number];
    if (item.is_free() || item.kind == ItemKind::kernel || item.is_disabled) return 0;
    if (item.is_ring()) return item.is_edge() ? edge_events(number, seen) : ring_events(number);
    return static_cast<EpollSet*>(item.object)->is_ready() ? item.events & kReadableEvents : 0;
}

// Tells item `number`, which is pending. True: event is filled in.
bool EpollSet::report(int number, epoll_event& event) {
    EpollItem& item = items_[number];
    StreamState seen;
    const std::uint32_t events = ready_events(number, seen);
    if (events == 0 || (item.events & (EPOLLET | EPOLLONESHOT)) != 0) {
        pending_.clear(number);
    }
    if (events == 0) return false;
    if (item.is_ring() && item.is_edge()) item.told = seen;
    if ((item.events & EPOLLONESHOT) != 0) item.is_disabled = true;
    if ((item.events & (EPOLLET | EPOLLONESHOT)) == 0) reported_level_ = true;
    event.events = events;
    event.data = item.data;
    return true;
}

// Reports the pending items in [from, to).
int EpollSet::report_range(int from, int to, epoll_event* events, int room) {
    int found = 0;
    for (int i = pending_.next(from, to); i >= 0 && found < room; i = pending_.next(i + 1, to)) {
        if (!report(i, events[found])) continue;
        last_reported_ = i;
        ++found;
    }
    return found;
}

// seen_news: what was announced before the look, and is thus seen by it.
int EpollSet::take_ready(epoll_event* events, int room, bool full_scan, std::uint32_t& seen_news) {
    reported_level_ = false;
    collect(full_scan);
    seen_news = mark_sets() + news_.load_relaxed();
    int found = report_range(next_report_, capacity_, events, room);
    if (found < room) found += report_range(0, next_report_, events + found, room - found);
    if (found > 0) next_report_ = last_reported_ + 1;
    return found;
}

}  // namespace xylem
