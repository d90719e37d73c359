// Parts of a socket of the `sockets` report, as people read them.
#pragma once

#include <string>

#include "control/cli/json_field.hpp"

namespace xylem::cli {

// iperf3[4711], and +2 if two more processes hold it.
std::string program_text(const Json& socket);
// Its own address; "-" if its program did not tell it.
std::string local_text(const Json& socket);

}  // namespace xylem::cli
