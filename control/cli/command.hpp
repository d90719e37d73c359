// The whole command behind main().
#pragma once

#include <string>
#include <vector>

namespace xylem::cli {

// words: without the program's name. Returns the exit code.
int run_command(const std::vector<std::string>& words);

}  // namespace xylem::cli
