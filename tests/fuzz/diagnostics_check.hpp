// What must hold of the diagnostics for any text, whichever grammar it was read by: they come in the order
// of lines, point into their line or just past its end, and print as one plain line each.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "hosts-map/diagnostic.hpp"

namespace xylem {

inline void require(bool holds) {
    if (!holds) std::abort();
}

inline std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    for (std::size_t start = 0; start < text.size();) {
        std::size_t end = std::min(text.find('\n', start), text.size());
        lines.push_back(text.substr(start, end - start));
        start = end + 1;
    }
    return lines;
}

inline void check_diagnostics(const Diagnostics& diagnostics, std::string_view text) {
    auto lines = lines_of(text);
    require(!diagnostics.empty() && diagnostics.size() <= kMaxDiagnostics);
    std::uint32_t previous = 0;
    for (const Diagnostic& diagnostic : diagnostics) {
        require(diagnostic.line > previous && diagnostic.line <= lines.size());
        require(diagnostic.column >= 1 && diagnostic.column <= lines[diagnostic.line - 1].size() + 1);
        std::string printed = to_string(diagnostic, "file");
        for (unsigned char byte : printed) require(byte >= 0x20 && byte < 0x7f);
        previous = diagnostic.line;
    }
}

}  // namespace xylem
