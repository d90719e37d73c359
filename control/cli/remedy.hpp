// What to do about a reason code, where there is something to do.
#pragma once

#include <string_view>

namespace xylem::cli {

// code: a name of control/protocol/reason.def. Empty if nothing is wrong or nothing can be done.
std::string_view remedy_for(std::string_view code);

}  // namespace xylem::cli
