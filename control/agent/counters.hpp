// What the agent counts. Plain numbers: one thread writes, the same one reports.
#pragma once

#include <cstdint>

#include "control/protocol/reason.hpp"

namespace xylem::agent {

struct Counters {
#define XYLEM_COUNTER(name, help) std::uint64_t name = 0;
#include "control/agent/counters.def"
#undef XYLEM_COUNTER
    std::uint64_t connects_failed[kReasonCount] = {};  // by Reason, of the own domain's programs
    std::uint64_t refused[kReasonCount] = {};          // by Reason, what others asked of this domain
};

// A reason that came from another process as an index into the arrays above.
inline std::uint32_t index_of(Reason reason) {
    const auto code = static_cast<std::uint32_t>(reason);
    return code < kReasonCount ? code : static_cast<std::uint32_t>(Reason::bad_request);
}

}  // namespace xylem::agent
