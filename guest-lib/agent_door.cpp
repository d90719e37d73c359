// The environment says where the agent is, and its directory is closed to other users. Programs clear the one
// and give up their right to the other (workers of web servers do both), and yet fork, or outlive their
// agent. So the place is noted when the library is loaded, and once the agent was reached, a descriptor of
// its door is kept: a path that begins there needs no right but that to pass the door, which everybody has.
#include "guest-lib/agent_door.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/protocol/runtime_paths.hpp"
#include "control/protocol/seqpacket.hpp"
#include "guest-lib/private_fds.hpp"
#include "vsock-transport/base/system_call.hpp"

namespace xylem {
namespace {

constexpr std::uint32_t kDefaultDomain = 1;

constinit RuntimePath socket_path{};
constinit RuntimePath door_path{};
constinit UniqueFd door;

std::uint32_t configured_domain() {
    const char* text = ::secure_getenv("XYLEM_DOMAIN");
    return text != nullptr ? static_cast<std::uint32_t>(::strtoul(text, nullptr, 10)) : kDefaultDomain;
}

Result<UniqueFd> dial_by_door() {
    RuntimePath path{};
    ::snprintf(path.text, sizeof path.text, "/proc/self/fd/%d/agent.sock", door.get());
    return dial(path.text);
}

}  // namespace

void note_agents_place() {
    const std::uint32_t domain = configured_domain();
    socket_path = agent_socket(domain);
    door_path = agent_door(domain);
}

Result<UniqueFd> dial_agent_once() {
    if (door) {
        Result<UniqueFd> reached = dial_by_door();
        if (reached) return reached;
    }
    return dial(socket_path.text);
}

Result<UniqueFd> dial_agent() {
    Result<UniqueFd> reached = dial_agent_once();
    if (!reached || door) return reached;
    const long opened =
        system_call(SYS_openat, AT_FDCWD, word(door_path.text), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (opened >= 0) door = make_private(UniqueFd(static_cast<int>(opened)));
    return reached;
}

}  // namespace xylem
