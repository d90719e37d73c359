// How many pages this guest may grant to others, by all its programs together.
#pragma once

#include <cstdint>

namespace xylem::agent {

// How many pages connections can use: the limit of gntalloc, raised (if we may) to a quarter of the memory,
// and never more than three quarters of the grant table's default size, since the rest is for the guest's
// disks and networks. The limit is the kernel's until it is changed again. 0: there is no gntalloc.
// module_folder: of /sys, for tests.
std::uint64_t raise_grant_limit(const char* module_folder = "/sys/module/xen_gntalloc");

// How many pages of other guests connections may use: half of what Xen can keep track of by default, and no
// more than a quarter of the memory, since the kernel has something to remember of each.
std::uint64_t most_mapped_pages();

}  // namespace xylem::agent
