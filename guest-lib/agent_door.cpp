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

// Where an agent may be. Without a domain in the environment that is the default's; the link to it may come
// later than the program.
struct Place {
    RuntimePath socket;
    RuntimePath door;
};
constinit Place places[2]{};
constinit UniqueFd door;

Result<UniqueFd> dial_by_door() {
    RuntimePath path{};
    ::snprintf(path.text, sizeof path.text, "/proc/self/fd/%d/agent.sock", door.get());
    return dial(path.text);
}

}  // namespace

void note_agents_place() {
    const char* text = ::secure_getenv("XYLEM_DOMAIN");
    const std::uint32_t domain =
        text != nullptr ? static_cast<std::uint32_t>(::strtoul(text, nullptr, 10)) : kDefaultDomain;
    places[0] = {agent_socket(domain), agent_door(domain)};
    places[1] = places[0];
    if (text == nullptr) places[0] = {default_agent_socket(), default_door()};
}

Result<UniqueFd> dial_agent_once() {
    if (door) {
        Result<UniqueFd> reached = dial_by_door();
        if (reached) return reached;
    }
    Result<UniqueFd> reached = dial(places[0].socket.text);
    return reached ? std::move(reached) : dial(places[1].socket.text);
}

Result<UniqueFd> dial_agent() {
    Result<UniqueFd> reached = dial_agent_once();
    if (!reached || door) return reached;
    for (const Place& place : places) {
        const long opened =
            system_call(SYS_openat, AT_FDCWD, word(place.door.text), O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (opened < 0) continue;
        door = make_private(UniqueFd(static_cast<int>(opened)));
        break;
    }
    return reached;
}

}  // namespace xylem
