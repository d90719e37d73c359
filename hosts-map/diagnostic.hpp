// What is wrong with one line of a configuration file, where, and what would be right.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace xylem {

struct Diagnostic {
    std::uint32_t line = 0;    // counted from 1
    std::uint32_t column = 0;  // counted from 1, in bytes; one past the line's end where something is missing
    std::string wrong;
    std::string expected;

    bool operator==(const Diagnostic&) const = default;
};

using Diagnostics = std::vector<Diagnostic>;

// A file with more bad lines than this is not a hosts map; reading stops there.
constexpr std::size_t kMaxDiagnostics = 100;

// "file:line:column: what is wrong; expected ..."
std::string to_string(const Diagnostic& diagnostic, std::string_view file);

}  // namespace xylem
