// What the agent tells people: JSON objects. Every field is described in control/README.md.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>

#include "control/protocol/map_table_layout.h"
#include "control/protocol/reason.hpp"

namespace xylem::agent {

struct Agent;
struct RunSums;
using Json = nlohmann::json;

Json report_sockets(const Agent& agent);
Json report_statistics(const Agent& agent);
Json report_map(const Agent& agent);
Json report_health(const Agent& agent);
Json report_run(const Agent& agent, std::uint64_t id, const RunSums& ended);
// `told` is called once, from here or when the far agent answered.
void report_explain(Agent& agent, const SocketName& target, std::function<void(Json)> told);

// Shapes that several reports share.
Json begin_report(const Agent& agent);
Json json_of(const SocketName& name);  // null for no name
Json json_of_links(const Agent& agent);
Json json_of(const MapTableEntry& entry, int family, unsigned prefix_bits);
// What the kernel has for sockets of that family: "tcp" or "vsock".
const char* kernel_transport(const SocketName& name);
void put_reason(Json& object, Reason reason);

}  // namespace xylem::agent
