// Sizes: no blanks, no signs, no overflow.
#include "control/agent/size_text.hpp"

#include <charconv>

namespace xylem::agent {

std::optional<std::uint64_t> parse_size(std::string_view text) {
    std::uint64_t value = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || text.empty() || end - rest > 1) return std::nullopt;
    if (rest == end) return value;
    unsigned shift = 0;
    if (*rest == 'K') shift = 10;
    if (*rest == 'M') shift = 20;
    if (*rest == 'G') shift = 30;
    if (shift == 0 || value > UINT64_MAX >> shift) return std::nullopt;
    return value << shift;
}

}  // namespace xylem::agent
