// One connection of a scraper: a request comes in, an answer goes out, and that is all.
//
//   reading ──whole request──> writing ──all sent──> draining ──hang-up──> over
//      └───────hang-up, time────────┴──error, time──────┴──too much, time───^
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "control/agent/event_loop.hpp"
#include "control/agent/metrics/http_request.hpp"
#include "vsock-transport/base/clock.hpp"
#include "vsock-transport/base/unique_fd.hpp"

namespace xylem::agent {

using SharedText = std::shared_ptr<const std::string>;

class Scrape {
  public:
    // Half of what Prometheus gives a scrape by default.
    static constexpr std::uint64_t kMostNs = 5 * kNsPerSecond;
    // Read past after the answer: a connection that is closed with data unread loses the answer, too.
    static constexpr std::size_t kMostDrainedBytes = 64 << 10;

    // figures: asked for where the request wants them.
    Scrape(EventLoop& loop, UniqueFd connected, std::function<SharedText()> figures);
    Scrape(const Scrape&) = delete;
    Scrape& operator=(const Scrape&) = delete;

    // Called once, and may destroy this.
    void on_over(std::function<void()> over) { over_ = std::move(over); }

    // False where the system refused.
    bool is_watched() const { return watch_ && timer_; }
    std::uint64_t began_ns() const { return began_ns_; }

  private:
    enum class State : std::uint8_t { reading, writing, draining, over };

    void on_ready(std::uint32_t events);
    void read();
    void answer(HttpVerdict verdict);
    void write();
    void drain();
    void end();

    const std::uint64_t began_ns_ = now_ns();
    UniqueFd socket_;
    std::function<SharedText()> figures_;
    std::function<void()> over_;
    State state_ = State::reading;
    std::string received_;
    std::string head_;
    SharedText body_;
    std::size_t sent_bytes_ = 0;  // of head and body
    std::size_t drained_bytes_ = 0;
    Watch watch_;
    Watch timer_;
};

}  // namespace xylem::agent
