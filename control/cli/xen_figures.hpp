// What a guest's kernel tells of grants and event channels, of all its programs together. Agents count what
// they hold themselves, each slab once, and begin at 0; what programs kept over a restart of their agent, and
// what others use of the same limits, shows here alone.
//
// There is no more to be had: gntalloc tells its limit and not what is in use of it, gntdev has a limit for
// one request only, and the tables of Xen itself are for dom0 to see (maptrack), or for root (the size of the
// grant table, by a hypercall through /dev/xen/privcmd).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace xylem::cli {

struct XenFigures {
    std::optional<std::uint64_t> grant_limit_pages;  // gntalloc's; none: it is not there
    std::uint64_t granted_pages_mapped = 0;          // a page once for each process that maps it
    std::uint64_t others_pages_mapped = 0;           // of other guests; the same
    std::uint64_t processes_mapping = 0;
    std::uint64_t processes_not_seen = 0;  // other users', which only root may look at
    std::uint64_t event_channels = 0;      // bound by this kernel, for itself and for programs
};

// Nothing where there is no Xen. root: a folder in the place of /, for tests.
std::optional<XenFigures> read_xen_figures(const std::string& root = "");

}  // namespace xylem::cli
