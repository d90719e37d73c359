// Reason codes: why a socket has the transport it has.
#pragma once

#include <cstdint>

namespace xylem {

enum class Reason : std::uint32_t {
#define XYLEM_REASON(code, text) code,
#include "control/protocol/reason.def"
#undef XYLEM_REASON
};

inline constexpr std::uint32_t kReasonCount = 0
#define XYLEM_REASON(code, text) +1
#include "control/protocol/reason.def"
#undef XYLEM_REASON
    ;

// The code's name ("not_mapped") and its sentence; "unknown" for a number that is none.
const char* reason_name(std::uint32_t code);
const char* reason_text(std::uint32_t code);

}  // namespace xylem
