// CommandOutput: however much a command prints, little of it is kept.
#include "control/cli/command_output.hpp"

#include <algorithm>

namespace xylem::cli {

void CommandOutput::add(std::string_view text) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
        line_.append(text.substr(0, std::min(end, kMaxLineBytes - line_.size())));
        if (end == text.size()) return;
        end_line();
        text.remove_prefix(end + 1);
    }
}

void CommandOutput::finish() { end_line(); }

void CommandOutput::end_line() {
    if (line_.empty()) return;
    if (on_line_) on_line_(line_);
    lines_.push_back(std::move(line_));
    line_.clear();
    if (lines_.size() > kKeptLines) lines_.pop_front();
}

}  // namespace xylem::cli
