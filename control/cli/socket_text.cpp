#include "control/cli/socket_text.hpp"

#include <fmt/format.h>

namespace xylem::cli {

std::string program_text(const Json& socket) {
    auto pid = number_at(socket, "pid");
    const std::string name = text_at(socket, "program", "?");
    const std::size_t users = member(socket, "users").size();
    std::string text = pid ? fmt::format("{}[{}]", name, *pid) : name;
    return users > 1 ? fmt::format("{} +{}", text, users - 1) : text;
}

// A connection whose own address its program did not tell has port 0, which of AF_VSOCK is a port.
std::string local_text(const Json& socket) {
    const Json& local = member(socket, "local");
    const bool is_vsock = text_at(local, "family") == "vsock";
    return number_at(local, "port").value_or(0) == 0 && !is_vsock ? "-" : name_text(local);
}

}  // namespace xylem::cli
