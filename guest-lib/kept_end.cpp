// Kept ends: what of a process is kept, and when all of it goes. Ends of the calling side stand in a table
// here; the oldest makes room for the newest.
#include "guest-lib/kept_end.hpp"

#include <algorithm>
#include <cstring>

#include "control/protocol/remote_domain.hpp"
#include "guest-lib/arrivals.hpp"
#include "guest-lib/bells.hpp"
#include "guest-lib/capture.hpp"
#include "guest-lib/epoll_set.hpp"
#include "guest-lib/last_words.hpp"
#include "guest-lib/run.hpp"
#include "guest-lib/session.hpp"
#include "guest-lib/socket.hpp"

namespace xylem {

namespace {

constinit Lock the_kept_lock;

struct KeptCall {
    KeptEnd end;
    const MapTableHeader* map = nullptr;  // as it was: another may lead elsewhere, or want other rings
};

constexpr unsigned kMostCalls = 32;
constexpr std::uint64_t kHeardNs = kNsPerSecond;  // longer takes only a bridge that is gone
constinit KeptCall calls[kMostCalls];
constinit unsigned next_to_go = 0;
constinit unsigned next_call = 0;  // in turn, so that the processes of a server get their share

bool is_same_address(const SocketName& a, const SocketName& b) {
    return a.family == b.family && a.scope_id == b.scope_id &&
           std::memcmp(a.address, b.address, sizeof a.address) == 0;
}

// Frees the places of ends that nobody can use again.
void sweep() {
    for (KeptCall& call : calls) {
        if (call.end.stream && call.end.stream.is_left()) call.end.release();
    }
}

void release_calls() {
    for (KeptCall& call : calls) {
        if (call.end.stream) call.end.release();
    }
}

void keep_call(KeptEnd& end) {
    sweep();
    KeptCall* place = nullptr;
    for (KeptCall& call : calls) {
        if (!call.end.stream) place = &call;
    }
    if (place == nullptr) {
        place = &calls[next_to_go++ % kMostCalls];
        place->end.release();
    }
    place->end.stream = std::move(end.stream);
    place->end.end_id = end.end_id;
    place->map = Session::self().map_in_force();
}

bool keep(Socket& socket, KeptEnd& end) {
    if (end.stream.page().side == 0) {
        keep_call(end);
        return true;
    }
    Arrivals* arrivals = Arrivals::find(socket.listener_id);
    return arrivals != nullptr && arrivals->add(end);
}

// Only what the agent of now can close if this process cannot; ids of listeners are its own, too.
bool is_worth_keeping(const Socket& socket) {
    if (socket.family == AF_VSOCK || is_sandboxed()) return false;
    if (socket.made_by_boot_id != Session::self().agent_boot_id()) return false;
    const bool has_called = socket.stream.page().side == 0;
    const Arrivals* arrivals = has_called ? nullptr : Arrivals::find(socket.listener_id);
    if (has_called ? !socket.stream.would_peer_keep() : arrivals == nullptr || !arrivals->takes_more())
        return false;
    return socket.stream.page().is_revoked.load_relaxed() == 0;
}

// A call is told once, and nobody looks for one that was not heard of; a bridge says whether it heard.
bool can_call(const Stream& stream) {
    const std::uint32_t domain = stream.page().peer_domain;
    if (is_remote_domain(domain)) return true;
    return stream.reaches_waiter(Direction::readable,
                                 [domain](WaitToken token) { return can_ring(domain, token); });
}

bool begin_call(const MapTableHeader& map, const SocketName& local, const SocketName& peer, KeptEnd& taken) {
    const SoonLockGuard guard(kept_lock());
    if (!guard.is_held()) return false;
    const unsigned first = next_call++;
    for (unsigned i = 0; i < kMostCalls; ++i) {
        KeptCall& call = calls[(first + i) % kMostCalls];
        if (!call.end.stream) continue;
        const EndPage& page = call.end.stream.page();
        const SocketName far = unmapped(page.peer);
        if (far.port != peer.port || !is_same_address(far, peer)) continue;
        if (call.map != &map || call.end.stream.is_left()) {
            call.end.release();
            continue;
        }
        if (!is_same_address(unmapped(page.local), local) || !call.end.stream.may_begin_again()) continue;
        if (!can_call(call.end.stream)) continue;
        taken.stream = std::move(call.end.stream);
        taken.end_id = call.end.end_id;
        if (taken.stream.begin_again(local.port)) {
            taken.stream.page().local.port = local.port;
            return true;
        }
        taken.release();
    }
    return false;
}

// Through a bridge (vsock-transport/stream/reuse.cpp). False: the far end had left, or nobody says anything.
bool is_heard_in_time(Stream& stream, WaitPolicy& policy) {
    const auto is_decided = [&stream] { return stream.is_heard() || stream.is_refused(); };
    policy.set_max_ns(std::min(stream.page().spin_ns, kMaxSpinNs));
    if (policy.spin(is_decided)) return stream.is_heard();
    const Interruption unused;
    const ThreadSleeper sleeper(stream.page().peer_domain, unused);
    const std::uint64_t deadline_ns = deadline_after(kHeardNs);
    WaiterSlots slots = stream.waiters(Direction::readable);
    SleepBound bound;
    while (!is_decided() && now_ns() < deadline_ns) {
        int slot = WaiterSlots::kNone;
        sleep_unless(
            WaitResult::ready, [&] { slot = slots.claim(sleeper.next_token()); }, is_decided,
            [&] {
                const std::uint64_t longest_ns = bound.next_ns(slot != WaiterSlots::kNone);
                sleeper.sleep_through(std::min(deadline_ns, deadline_after(longest_ns)));
                return WaitResult::ready;
            },
            [&] { slots.release(slot); });
    }
    return stream.is_heard();
}

void give_up_calls_to(std::uint32_t domain) {
    LockGuard guard(kept_lock());
    for (KeptCall& call : calls) {
        if (call.end.stream && call.end.stream.page().peer_domain == domain) call.end.release();
    }
}

}  // namespace

Lock& kept_lock() { return the_kept_lock; }

void KeptEnd::tell_release() const { Session::self().tell_release(end_id, ReleaseMode::orderly); }

// The agent, told of the release, accepts it for another process (control/agent/end_keeping.cpp).
bool KeptEnd::has_caller_for_queue() {
    const bool is_listeners = stream.page().side == 1;
    return is_listeners && !is_unknown && Session::self().is_open() && !stream.stop_keeping();
}

void KeptEnd::release() {
    if (!is_taken_back()) {
        if (!has_caller_for_queue()) stream.close(CloseMode::abort);
        tell_release();
    }
    forget();
}

bool keep_end(Socket& socket) {
    const SoonLockGuard guard(kept_lock());
    if (!guard.is_held() || !is_worth_keeping(socket) || !Session::self().close_to_keep(socket.stream))
        return false;
    note_close(socket);
    KeptEnd end;
    end.stream = std::move(socket.stream);
    end.end_id = socket.end_id;
    if (keep(socket, end)) return true;
    end.release();
    return true;
}

bool call_again(const MapTableHeader& map, const SocketName& local, const SocketName& peer,
                WaitPolicy& policy, KeptEnd& taken) {
    if (!begin_call(map, local, peer, taken)) return false;
    Stream& stream = taken.stream;
    const std::uint32_t domain = stream.page().peer_domain;
    if (!is_remote_domain(domain) || is_heard_in_time(stream, policy)) return true;
    const bool is_refused = stream.is_refused();
    taken.release();
    if (!is_refused) give_up_calls_to(domain);  // or each of them would be waited for
    return false;
}

void release_kept_ends() {
    LockGuard guard(kept_lock());
    release_calls();
    Arrivals::release_all();
}

void give_up_kept_ends() {
    release_calls();
    Arrivals::give_up_all(true);
}

void renew_kept_ends() {
    LockGuard guard(kept_lock());
    release_calls();
    Arrivals::give_up_all(false);
}

void forget_kept_ends_of_parent() {
    kept_lock().reset();
    for (KeptCall& call : calls) call.end.forget();
    Arrivals::forget_all_of_parent();
    for (int fd = next_entry(0, ~0U); fd >= 0; fd = next_entry(static_cast<unsigned>(fd) + 1, ~0U)) {
        Ref<Socket> listener = find<Socket>(fd);
        if (!listener || listener->arrivals() == nullptr) continue;
        listener->arrivals_word.store_release(nullptr);
        EpollSet::on_became_listener(*listener);
    }
}

}  // namespace xylem
