// The whole terminal, for as long as this lives: its other screen, without echo and cursor.
#pragma once

#include <signal.h>
#include <termios.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "vsock-transport/base/unique_fd.hpp"

namespace xylem::cli {

class LiveScreen {
  public:
    enum class Event : std::uint8_t { time, resized, quit, next_sort };
    struct Size {
        std::size_t columns;
        std::size_t lines;
    };

    // Standard output can be one.
    static bool is_possible();

    LiveScreen();
    LiveScreen(const LiveScreen&) = delete;
    LiveScreen& operator=(const LiveScreen&) = delete;
    // Everything is as it was. A signal that ended this ends the process now, as it would have.
    ~LiveScreen();

    Size size() const;
    // The second line is a heading. False where the terminal is gone.
    bool draw(const std::vector<std::string>& lines) const;
    // Up to deadline_ns (monotonic), or less.
    Event wait(std::uint64_t deadline_ns);

  private:
    void enter() const;
    void leave() const;
    Event on_signal();
    Event on_key();

    termios before_{};
    bool has_keys_;  // standard input is a terminal, which was as before_ says
    int end_signal_ = 0;
    sigset_t mask_before_{};
    UniqueFd signals_;
};

}  // namespace xylem::cli
