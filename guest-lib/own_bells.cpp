// Doorbells that this process sleeps on. A thread takes one for the length of a sleep, so there are as many
// as threads ever slept at once for one peer domain; the one it used last is tried first. Beyond kMaxBells,
// and without an agent, a waiter has none and looks every millisecond instead.
#include <poll.h>

#include "guest-lib/bells.hpp"
#include "guest-lib/cancellation.hpp"
#include "guest-lib/poll_wait.hpp"
#include "guest-lib/private_fds.hpp"
#include "guest-lib/session.hpp"
#include "guest-lib/session_page.hpp"
#include "vsock-transport/base/sandbox.hpp"
#include "vsock-transport/local/local_kick.hpp"

namespace xylem {
namespace {

constexpr unsigned kMaxBells = 4096;
constinit OwnBell bells[kMaxBells];
constinit AtomicU32 bell_count;
constinit thread_local OwnBell* last_used = nullptr;

bool try_take(OwnBell& bell, std::uint32_t peer_domain) {
    if (bell.in_use.load_relaxed() != 0 || !bell.in_use.compare_exchange(0, 1)) return false;
    if (bell.id.load_relaxed() != 0 && bell.peer_domain == peer_domain) {
        bell.channel.begin();
        return true;
    }
    bell.in_use.store_release(0);
    return false;
}

OwnBell* claim_unmade() {
    const std::uint32_t made = bell_count.load_acquire();
    for (unsigned i = 0; i < kMaxBells; ++i) {
        OwnBell& bell = bells[i];
        if (bell.in_use.load_relaxed() != 0 || !bell.in_use.compare_exchange(0, 1)) continue;
        if (bell.id.load_relaxed() == 0) {
            if (i >= made) bell_count.store_release(i + 1);
            return &bell;
        }
        bell.in_use.store_release(0);
    }
    return nullptr;
}

OwnBell* make_bell(std::uint32_t peer_domain) {
    if (is_sandboxed()) return nullptr;
    OwnBell* bell = claim_unmade();
    if (bell == nullptr) return nullptr;
    Result<LocalBell> pair = make_local_bell();
    ChannelParts channel;
    const std::uint32_t id = pair ? register_bell(peer_domain, 0, pair->kicker.get(), -1, &channel) : 0;
    if (id == 0) {
        bell->in_use.store_release(0);
        return nullptr;
    }
    bell->peer_domain = peer_domain;
    bell->waiter = make_private(std::move(pair->waiter));
    bell->kicker = make_private(std::move(pair->kicker));
    if (channel.waiter) bell->channel.open(make_private(std::move(channel.waiter)));
    bell->id.store_release(id);
    return bell;
}

// By whoever uses it.
void unmake(OwnBell& bell) {
    bell.id.store_relaxed(0);
    bell.is_lost.store_relaxed(0);
    close_private(bell.waiter);
    close_private(bell.kicker);
    UniqueFd channel = bell.channel.close();
    close_private(channel);
}

}  // namespace

OwnBell* take_bell(std::uint32_t peer_domain) {
    if (last_used != nullptr && try_take(*last_used, peer_domain)) return last_used;
    const std::uint32_t made = bell_count.load_acquire();
    for (unsigned i = 0; i < made; ++i) {
        if (try_take(bells[i], peer_domain)) return last_used = &bells[i];
    }
    return last_used = make_bell(peer_domain);
}

void give_back(OwnBell* bell) {
    if (bell->is_lost.load_relaxed() != 0) unmake(*bell);
    bell->in_use.store_release(0);
}

std::uint32_t register_bell(std::uint32_t peer_domain, std::uint32_t wanted_id, int kicker_fd, int area_fd,
                            ChannelParts* channel) {
    BellNewMessage question{};
    question.peer_domain = peer_domain;
    question.wanted_id = wanted_id;
    question.has_area = area_fd >= 0 ? 1 : 0;
    question.wants_channel = channel != nullptr ? 1 : 0;
    const int fds[2] = {kicker_fd, area_fd};
    Received answer;
    if (!Session::self().ask(SessionMessage::bell_new, question, answer, fds, area_fd >= 0 ? 2 : 1)) return 0;
    const auto* bell = answer_as<BellMessage>(answer, SessionMessage::bell);
    if (bell == nullptr) return 0;
    const bool has_channel = bell->kind == static_cast<std::uint32_t>(KickKind::event_channel);
    if (channel != nullptr && has_channel && answer.fd_count == (area_fd >= 0 ? 2U : 1U)) {
        channel->waiter = std::move(answer.fds[0]);
        channel->area = std::move(answer.fds[1]);
    }
    return bell->doorbell_id;
}

void unregister_bell(std::uint32_t id) {
    IdMessage message{};
    message.id = id;
    Session::self().tell(SessionMessage::bell_free, message);
}

// Threads may be asleep on them. One whose number is taken by now is lost, and a sleep on it is a bounded
// one.
void register_own_bells_again() {
    const std::uint32_t made = bell_count.load_acquire();
    for (unsigned i = 0; i < made; ++i) {
        OwnBell& bell = bells[i];
        const std::uint32_t id = bell.id.load_acquire();
        if (id == 0) continue;
        const std::uint32_t given = register_bell(bell.peer_domain, id, bell.kicker.get(), -1);
        if (given == id) continue;
        if (given != 0) unregister_bell(given);
        bell.is_lost.store_relaxed(1);
        if (!bell.in_use.compare_exchange(0, 1)) continue;
        give_back(&bell);
    }
}

void forget_parents_bells() {
    const std::uint32_t made = bell_count.load_acquire();
    for (unsigned i = 0; i < made; ++i) {
        unmake(bells[i]);
        bells[i].in_use.store_release(0);
    }
    last_used = nullptr;
}

// A thread sleeps on one stream at a time, on the doorbell that it took last.
void withdraw_sleeper(Stream& stream) {
    OwnBell* bell = last_used;
    if (bell == nullptr) return;
    stream.waiters(Direction::readable).release_doorbell(bell->id.load_relaxed());
    stream.waiters(Direction::writable).release_doorbell(bell->id.load_relaxed());
    give_back(bell);
}

void take_kicks(ChannelWaiter& channel, std::uint32_t peer_domain) {
    if (channel.drain()) count_storm(Session::self().page(), peer_domain);
}

WaitToken ThreadSleeper::next_token() const {
    if (bell_ == nullptr) return {};
    return {bell_->id.load_relaxed(), 0, ++bell_->epoch};
}

WaitResult ThreadSleeper::sleep(std::uint64_t deadline_ns) const {
    if (interruption_.is_due()) return WaitResult::interrupted;
    Session& session = Session::self();
    session.settle();
    pollfd items[3] = {{bell_ != nullptr ? bell_->waiter.get() : -1, POLLIN, 0},
                       {session.hang_up_fd(), 0, 0},
                       {bell_ != nullptr ? bell_->channel.fd() : -1, POLLIN, 0}};
    const std::uint64_t now = now_ns();
    const std::uint64_t left_ns = deadline_ns > now ? deadline_ns - now : 0;
    const std::uint64_t bound_ns = bell_ != nullptr ? bell_->channel.bound_ns() : kForever;
    const long result = poll_cancellable(items, 3, std::min(left_ns, bound_ns));
    if (result == -EINTR) return WaitResult::interrupted;
    if (bell_ != nullptr && items[0].revents != 0) drain_local(bell_->waiter.get());
    if (bell_ != nullptr && (items[2].revents != 0 || bound_ns != kForever))
        take_kicks(bell_->channel, bell_->peer_domain);
    if (items[1].revents != 0 || !session.is_open()) session.check();  // gone, or perhaps back
    return result == 0 ? WaitResult::timed_out : WaitResult::ready;
}

void ThreadSleeper::sleep_through(std::uint64_t deadline_ns) const {
    pollfd item{bell_ != nullptr ? bell_->waiter.get() : -1, POLLIN, 0};
    const std::uint64_t now = now_ns();
    const std::uint64_t left_ns = deadline_ns > now ? deadline_ns - now : 0;
    if (poll_raw(&item, 1, left_ns) > 0) drain_local(bell_->waiter.get());
}

}  // namespace xylem
