// Poller. A handler is looked up by descriptor at the moment it is called, so one that was removed by another
// in the same turn is not called; a descriptor that was closed and opened again in between gets one call too
// many, which handlers of non-blocking descriptors bear.
#include "rdma-bridge/poller.hpp"

#include <algorithm>
#include <cerrno>

#include "vsock-transport/base/clock.hpp"

namespace xylem::bridge {
namespace {

constexpr int kMostEvents = 64;

}  // namespace

Result<std::unique_ptr<Poller>> Poller::make() {
    UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll) return fail_errno();
    return std::unique_ptr<Poller>(new Poller(std::move(epoll)));
}

bool Poller::add(int fd, std::uint32_t events, Handler handler) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return false;
    handlers_[fd] = std::make_shared<Handler>(std::move(handler));
    return true;
}

void Poller::change(int fd, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void Poller::remove(int fd) {
    if (handlers_.erase(fd) != 0) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

Poller::TimerId Poller::after(std::uint64_t delay_ns, std::function<void()> call) {
    const TimerId id = ++last_timer_;
    const std::uint64_t due = now_ns() + delay_ns;
    timers_.emplace(std::pair{due, id}, std::move(call));
    due_ns_.emplace(id, due);
    return id;
}

void Poller::cancel(TimerId id) {
    const auto found = due_ns_.find(id);
    if (found == due_ns_.end()) return;
    timers_.erase({found->second, id});
    due_ns_.erase(found);
}

// Those that are due now: what a call sets for at once is for the next time, or it could go on for ever.
bool Poller::run_timers() {
    bool ran = false;
    const std::pair last{now_ns(), last_timer_};
    while (!timers_.empty() && timers_.begin()->first <= last) {
        const auto call = std::move(timers_.begin()->second);
        due_ns_.erase(timers_.begin()->first.second);
        timers_.erase(timers_.begin());
        call();
        ran = true;
    }
    return ran;
}

bool Poller::run_once(std::uint64_t timeout_ns) {
    if (!timers_.empty()) {
        const std::uint64_t now = now_ns();
        const std::uint64_t due = timers_.begin()->first.first;
        timeout_ns = std::min(timeout_ns, due > now ? due - now : 0);
    }
    timespec timeout{static_cast<time_t>(timeout_ns / kNsPerSecond),
                     static_cast<long>(timeout_ns % kNsPerSecond)};
    epoll_event events[kMostEvents];
    const int count = ::epoll_pwait2(epoll_.get(), events, kMostEvents, &timeout, nullptr);
    for (int i = 0; i < count; ++i) {
        const auto found = handlers_.find(events[i].data.fd);
        if (found == handlers_.end()) continue;
        const std::shared_ptr<Handler> handler = found->second;  // it may remove itself
        (*handler)(events[i].events);
    }
    const bool ran_timers = run_timers();
    return count > 0 || ran_timers;
}

}  // namespace xylem::bridge
