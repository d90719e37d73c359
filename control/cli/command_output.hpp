// What a command printed: its last lines, and each line for whoever wants to look at it.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>

namespace xylem::cli {

class CommandOutput {
  public:
    using OnLine = std::function<void(const std::string& line)>;
    explicit CommandOutput(OnLine on_line = {}) : on_line_(std::move(on_line)) {}

    // More of it. A line ends with a line feed or, where a program writes over it, a carriage return.
    void add(std::string_view text);
    // No more will come: what is left is a line.
    void finish();

    // At most kKeptLines, each cut at kMaxLineBytes.
    const std::deque<std::string>& last_lines() const { return lines_; }

    static constexpr std::size_t kKeptLines = 10;
    static constexpr std::size_t kMaxLineBytes = 4096;

  private:
    void end_line();

    OnLine on_line_;
    std::string line_;
    std::deque<std::string> lines_;
};

}  // namespace xylem::cli
