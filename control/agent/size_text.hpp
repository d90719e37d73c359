// Numbers with units as people type them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace xylem::agent {

// Decimal digits with an optional suffix K, M or G (powers of 1024). Nothing else.
std::optional<std::uint64_t> parse_size(std::string_view text);

}  // namespace xylem::agent
