// A failure on the screen: what is wrong, then what to do, on a line of its own.
#include "control/cli/failure.hpp"

#include <cstdio>

#include "control/cli/terminal.hpp"

namespace xylem::cli {

int report(const Failure& failure) {
    const bool colour = colours_on(stderr);
    std::fprintf(stderr, "%s %s\n", painted("xylem:", Paint::bad, colour).c_str(), failure.wrong.c_str());
    if (!failure.remedy.empty()) std::fprintf(stderr, "       %s\n", failure.remedy.c_str());
    return failure.exit_code;
}

}  // namespace xylem::cli
