// The one thread's event loop: sd-event with owners. A Watch is one source; it stops when it is destroyed,
// also from inside its own call.
#pragma once

#include <sys/epoll.h>
#include <systemd/sd-event.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "vsock-transport/base/result.hpp"

namespace xylem::agent {

class Watch {
  public:
    struct Handler : std::enable_shared_from_this<Handler> {
        std::function<void(std::uint32_t)> call;
    };

    Watch() = default;
    Watch(sd_event_source* source, std::shared_ptr<Handler> handler)
        : source_(source), handler_(std::move(handler)) {}
    Watch(Watch&& other) noexcept;
    Watch& operator=(Watch&& other) noexcept;
    ~Watch();

    explicit operator bool() const { return source_ != nullptr; }
    void pause();
    void resume();
    void set_events(std::uint32_t events);
    // Called only when nothing else is due.
    void come_last();

  private:
    sd_event_source* source_ = nullptr;
    std::shared_ptr<Handler> handler_;
};

class EventLoop {
  public:
    // Errors: system.
    static Result<std::unique_ptr<EventLoop>> make();
    ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    // An empty Watch where the system refused; that is logged here.
    [[nodiscard]] Watch on_ready(int fd, std::uint32_t events, std::function<void(std::uint32_t)> call);
    // Once, delay_ns from now.
    [[nodiscard]] Watch after(std::uint64_t delay_ns, std::function<void()> call);
    // The signal must be blocked.
    [[nodiscard]] Watch on_signal(int signal, std::function<void()> call);

    // Until stop(); returns its exit code, or 1 after an error of the loop.
    int run();
    void stop(int exit_code);
    // Takes in what is due, waiting up to timeout_ns for something. For tests.
    void run_once(std::uint64_t timeout_ns);

  private:
    explicit EventLoop(sd_event* event) : event_(event) {}
    Watch finish(int result, sd_event_source* source, std::shared_ptr<Watch::Handler> handler);

    sd_event* event_;
};

}  // namespace xylem::agent
