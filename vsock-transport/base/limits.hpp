// Bounds of what a run, a hosts map line or a program may ask for, where more than one folder checks them.
#pragma once

#include <cstdint>

namespace xylem {

inline constexpr std::uint64_t kMinRingSizeBytes = 4ULL << 10;  // one page, the unit of granting
// As far as YASMIN's sweep went, and then some.
inline constexpr std::uint64_t kMaxRingSizeBytes = 64ULL << 20;

// A thousand wake-ups' cost: beyond it spinning never wins.
inline constexpr std::uint32_t kMaxSpinNs = 10'000'000;

}  // namespace xylem
