// Where this installation keeps its other parts: beside the running binary in a build folder, or in the
// folders of a prefix (PREFIX/bin/xylem, PREFIX/bin/xylemd, PREFIX/lib/xylem/libxylem.so).
#pragma once

#include <string>
#include <vector>

#include "control/cli/failure.hpp"

namespace xylem::cli {

// The running binary, absolute.
std::string own_path();

// Absolute path. Errors: not found; the sentence names the places tried.
Outcome<std::string> find_library();
Outcome<std::string> find_agent();

}  // namespace xylem::cli
