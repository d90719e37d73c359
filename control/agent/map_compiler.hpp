// From hosts rows to the table that programs look at (control/protocol/map_table_layout.h), and back to the
// domain's own addresses. Pure; no descriptors.
#pragma once

#include <cstddef>
#include <vector>

#include "control/agent/hosts_file.hpp"
#include "control/protocol/map_table_layout.h"

namespace xylem::agent {

// Of a row that names a node: where its bridge listens.
SocketName node_of(const HostsRow& row);

// The bytes of a whole table. Rows of node targets keep their address in `node`.
std::vector<std::byte> compile_map(const std::vector<HostsRow>& rows, std::uint32_t own_domain);

// The address of a domain of this machine as accept() and getpeername() report it: that of the first line of
// the family that says dom:N of a single address, else the built-in numbering. Family 0 if there is none;
// the port is 0.
SocketName address_of(const MapTableHeader& table, std::uint32_t domain, int family);

}  // namespace xylem::agent
