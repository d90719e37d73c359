// EventLoop over sd-event(3). A handler is kept alive by a copy of its pointer while it runs, so it may
// destroy its own Watch.
#include "control/agent/event_loop.hpp"

#include <spdlog/spdlog.h>
#include <string.h>

#include "vsock-transport/base/clock.hpp"

namespace xylem::agent {
namespace {

int on_io(sd_event_source*, int, std::uint32_t revents, void* userdata) {
    const auto keep = static_cast<Watch::Handler*>(userdata)->shared_from_this();
    keep->call(revents);
    return 0;
}

int on_time(sd_event_source*, std::uint64_t, void* userdata) { return on_io(nullptr, -1, 0, userdata); }

int on_signal_info(sd_event_source*, const signalfd_siginfo*, void* userdata) {
    return on_io(nullptr, -1, 0, userdata);
}

}  // namespace

Watch::Watch(Watch&& other) noexcept
    : source_(std::exchange(other.source_, nullptr)), handler_(std::move(other.handler_)) {}

Watch& Watch::operator=(Watch&& other) noexcept {
    std::swap(source_, other.source_);
    std::swap(handler_, other.handler_);
    return *this;
}

Watch::~Watch() {
    if (source_ != nullptr) sd_event_source_disable_unref(source_);
}

void Watch::pause() {
    if (source_ != nullptr) sd_event_source_set_enabled(source_, SD_EVENT_OFF);
}

void Watch::resume() {
    if (source_ != nullptr) sd_event_source_set_enabled(source_, SD_EVENT_ON);
}

void Watch::set_events(std::uint32_t events) {
    if (source_ != nullptr) sd_event_source_set_io_events(source_, events);
}

void Watch::come_last() {
    if (source_ != nullptr) sd_event_source_set_priority(source_, SD_EVENT_PRIORITY_IDLE);
}

Result<std::unique_ptr<EventLoop>> EventLoop::make() {
    sd_event* event = nullptr;
    const int result = sd_event_new(&event);
    if (result < 0) return fail(ErrorKind::system, -result);
    return std::unique_ptr<EventLoop>(new EventLoop(event));
}

EventLoop::~EventLoop() { sd_event_unref(event_); }

Watch EventLoop::finish(int result, sd_event_source* source, std::shared_ptr<Watch::Handler> handler) {
    if (result >= 0) return {source, std::move(handler)};
    spdlog::error("cannot watch a descriptor: {}", ::strerrordesc_np(-result));
    return {};
}

Watch EventLoop::on_ready(int fd, std::uint32_t events, std::function<void(std::uint32_t)> call) {
    auto handler = std::make_shared<Watch::Handler>();
    handler->call = std::move(call);
    sd_event_source* source = nullptr;
    const int result = sd_event_add_io(event_, &source, fd, events, on_io, handler.get());
    return finish(result, source, std::move(handler));
}

Watch EventLoop::after(std::uint64_t delay_ns, std::function<void()> call) {
    auto handler = std::make_shared<Watch::Handler>();
    handler->call = [call = std::move(call)](std::uint32_t) { call(); };
    sd_event_source* source = nullptr;
    const int result = sd_event_add_time_relative(event_, &source, CLOCK_MONOTONIC, delay_ns / kNsPerUs,
                                                  kNsPerMs / kNsPerUs, on_time, handler.get());
    return finish(result, source, std::move(handler));
}

Watch EventLoop::on_signal(int signal, std::function<void()> call) {
    auto handler = std::make_shared<Watch::Handler>();
    handler->call = [call = std::move(call)](std::uint32_t) { call(); };
    sd_event_source* source = nullptr;
    const int result = sd_event_add_signal(event_, &source, signal, on_signal_info, handler.get());
    return finish(result, source, std::move(handler));
}

int EventLoop::run() {
    const int result = sd_event_loop(event_);
    if (result >= 0) return result;
    spdlog::critical("the event loop failed: {}", ::strerrordesc_np(-result));
    return 1;
}

void EventLoop::stop(int exit_code) { sd_event_exit(event_, exit_code); }

void EventLoop::run_once(std::uint64_t timeout_ns) { sd_event_run(event_, timeout_ns / kNsPerUs); }

}  // namespace xylem::agent
