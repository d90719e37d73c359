// How the members of a bell set tell who they are: a kind, and a number of that kind.
#pragma once

#include <cstdint>

namespace xylem {

enum class BellTag : std::uint32_t { program, area, session, set_item };

constexpr std::uint64_t tag_of(BellTag kind, unsigned number) {
    return static_cast<std::uint64_t>(kind) << 32 | number;
}
constexpr BellTag kind_of(std::uint64_t tag) { return static_cast<BellTag>(tag >> 32); }
constexpr unsigned number_of(std::uint64_t tag) { return static_cast<unsigned>(tag); }

}  // namespace xylem
