// Which release this is.
#pragma once

namespace xylem::cli {

// The release, the same for all parts of Xylem.
inline constexpr const char* kVersion = "0.1.0";

}  // namespace xylem::cli
