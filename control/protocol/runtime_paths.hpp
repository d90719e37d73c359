// Where agents and programs of this machine meet. XYLEM_RUNTIME_DIR, else /run/xylem for root, else
// $XDG_RUNTIME_DIR/xylem, else /tmp/xylem-UID. Inside it:
//   dom-<N>/             closed to other users
//   dom-<N>/door/agent.sock  sessions of domain N's programs: open to whoever got hold of the door, which a
//                        program keeps when it gives up its privileges (guest-lib/agent_door.hpp)
//   dom-<N>/agent.log    log of an agent that `xylem run` started
//   fabric/<N>.link      links between agents; XYLEM_FABRIC_DIR moves it (a directory that containers share)
#pragma once

#include <cstddef>
#include <cstdint>

namespace xylem {

inline constexpr std::size_t kPathBytes = 108;  // sun_path of unix(7)

struct RuntimePath {
    char text[kPathBytes];  // empty if it would not fit
};

RuntimePath runtime_directory();
RuntimePath fabric_directory();
RuntimePath domain_directory(std::uint32_t domain);
RuntimePath agent_door(std::uint32_t domain);
RuntimePath agent_socket(std::uint32_t domain);
RuntimePath link_socket(std::uint32_t domain);

}  // namespace xylem
