// Descriptors and timers of the bridge's one thread, by epoll. Handlers may add and remove anything,
// themselves included.
#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>

#include "vsock-transport/base/result.hpp"
#include "vsock-transport/base/unique_fd.hpp"

namespace xylem::bridge {

class Poller {
  public:
    using Handler = std::function<void(std::uint32_t events)>;
    using TimerId = std::uint64_t;

    // Errors: system.
    static Result<std::unique_ptr<Poller>> make();

    // The descriptor stays the caller's, who removes it before closing it. False where the kernel refuses.
    bool add(int fd, std::uint32_t events, Handler handler);
    void change(int fd, std::uint32_t events);
    void remove(int fd);
    TimerId after(std::uint64_t delay_ns, std::function<void()> call);
    void cancel(TimerId id);
    std::size_t timer_count() const { return timers_.size(); }

    // Calls the handlers of what is ready, after waiting for it no longer than timeout_ns or the next timer.
    // Says whether there was anything.
    bool run_once(std::uint64_t timeout_ns);

  private:
    explicit Poller(UniqueFd epoll) : epoll_(std::move(epoll)) {}
    bool run_timers();

    UniqueFd epoll_;
    std::unordered_map<int, std::shared_ptr<Handler>> handlers_;
    std::map<std::pair<std::uint64_t, TimerId>, std::function<void()>> timers_;  // by time
    std::unordered_map<TimerId, std::uint64_t> due_ns_;
    TimerId last_timer_ = 0;
};

}  // namespace xylem::bridge
