// Where agents and programs of this machine meet. XYLEM_RUNTIME_DIR, else /run/xylem for root, else
// $XDG_RUNTIME_DIR/xylem, else /tmp/xylem-UID. Inside it:
//   dom-<N>/             closed to other users
//   dom-<N>/door/agent.sock  sessions of domain N's programs: open to whoever got hold of the door, which a
//                        program keeps when it gives up its privileges (guest-lib/agent_door.hpp)
//   dom-<N>/agent.log    log of an agent that `xylem run` started
//   default              -> dom-<N>, of the agent that was not told which domain to serve: whoever names none
//                        finds it; without it that is domain 1
//   fabric/<N>.link      links between agents; XYLEM_FABRIC_DIR moves it (a directory that containers share)
//   fabric/bridge.link   links with the bridge, for domains of other nodes (remote_domain.hpp)
//   fabric/bridge.stat   what the bridge counts, for `xylem stat`: JSON to whoever connects
//   fabric/nodes/<K>     which node is the K-th
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
// What programs and commands belong to that name no domain.
inline constexpr std::uint32_t kDefaultDomain = 1;
std::uint32_t domain_by_default();
RuntimePath default_link();
RuntimePath default_door();
RuntimePath default_agent_socket();

RuntimePath domain_directory(std::uint32_t domain);
RuntimePath agent_door(std::uint32_t domain);
RuntimePath agent_socket(std::uint32_t domain);
RuntimePath link_socket(std::uint32_t domain);  // of a remote domain: the bridge's
RuntimePath bridge_socket();
inline constexpr char kBridgeReportName[] = "/bridge.stat";  // in the fabric directory
RuntimePath bridge_report_socket();

}  // namespace xylem
