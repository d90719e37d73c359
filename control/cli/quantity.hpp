// Numbers as people read them, and the sizes, times and numbers that people type.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "control/cli/failure.hpp"

namespace xylem::cli {

// 0, 512, 4K, 1.5M, 23G: powers of 1024, at most one digit after the point.
std::string bytes_text(std::uint64_t bytes);
// 37%; - if the whole is 0. More than 0 is at least 1%, less than the whole at most 99%.
std::string percent_text(std::uint64_t part, std::uint64_t whole);
// 640ns, 1.3us, 25us, 7.5ms, 1.2s: two digits at least.
std::string time_text(std::uint64_t ns);
// 42 s, 3 min, 5 h, 12 d
std::string duration_text(std::uint64_t seconds);

// As `ring=` of the hosts map: a power of two from 4K to 64M.
Outcome<std::uint64_t> parse_ring_size(std::string_view text);
// Microseconds, or as `spin=` of the hosts map with us or ms; at most 10ms. Returns nanoseconds.
Outcome<std::uint64_t> parse_spin(std::string_view text);
// A domain id, 0 to kMaxDomain; `what` names the option or variable in the error.
Outcome<std::uint32_t> parse_domain_id(std::string_view text, std::string_view what);

}  // namespace xylem::cli
