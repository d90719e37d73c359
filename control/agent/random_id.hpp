// Numbers that nobody else has: boot ids, and where counters begin.
#pragma once

#include <cstdint>

namespace xylem::agent {

// 64 random bits, never 0.
std::uint64_t random_id();

}  // namespace xylem::agent
