// Names and sentences of reason codes, from the one list.
#include "control/protocol/reason.hpp"

namespace xylem {
namespace {

struct Row {
    const char* name;
    const char* text;
};

constexpr Row kRows[] = {
#define XYLEM_REASON(code, text) {#code, text},
#include "control/protocol/reason.def"
#undef XYLEM_REASON
};

constexpr std::uint32_t kCount = sizeof kRows / sizeof kRows[0];

}  // namespace

const char* reason_name(std::uint32_t code) { return code < kCount ? kRows[code].name : "unknown"; }
const char* reason_text(std::uint32_t code) { return code < kCount ? kRows[code].text : "unknown reason"; }

}  // namespace xylem
